#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"

/* An entry and what it is wrapped in, escaped byte by byte in the worst case. */
enum { ENTRY_MOST = LOG_LINE_BYTES * ESCAPE_MOST + 256, LOG_OUT_BYTES = 3 * ENTRY_MOST };

struct stamp {
  uint64_t ns;
  char tails[2][96]; /* of a JSON entry: a whole line, a partial one */
  size_t tail_sizes[2];
};

static int open_file(struct log *log, int flags) {
  log->fd = openat(log->folder, log->name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0640);
  return log->fd < 0 ? errno : 0;
}

int log_open(struct log *log, enum log_format format, const char *path, uint64_t max_size, unsigned max_file) {
  *log = (struct log){.format = format, .folder = -1, .fd = -1, .max_size = max_size, .max_file = max_file, .second = -1};
  if (format == LOG_NONE) return 0;
  char folder[4096];
  const char *slash = strrchr(path, '/');
  if (!slash || strlen(slash + 1) >= sizeof log->name || (size_t)(slash - path) >= sizeof folder - 1) return ENAMETOOLONG;
  strcpy(log->name, slash + 1);
  memcpy(folder, path, (size_t)(slash - path) + 1);
  folder[slash - path + 1] = 0;
  log->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (log->folder < 0) return errno;
  struct stat stat;
  const int error = open_file(log, 0);
  if (!error && fstat(log->fd, &stat) == 0) log->size = (uint64_t)stat.st_size;
  return error;
}

/* ——— writing */

/* What cannot be written is dropped, whole entries of it: a full disk is no reason to stop a container. */
static bool give_up(struct log *log) {
  const bool was_broken = log->is_broken;
  log->is_broken = true;
  /* Where even cutting off the half-written entry fails, readers look for the next whole one. */
  if (log->fd >= 0 && ftruncate(log->fd, (off_t)log->size) < 0) return was_broken;
  return was_broken;
}

static bool write_out(struct log *log, size_t length) {
  if (length == 0) return true;
  if (log->fd < 0 && open_file(log, 0) != 0) return give_up(log);
  for (size_t done = 0; done < length;) {
    const ssize_t written = write(log->fd, log->out + done, length - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return give_up(log);
    done += (size_t)written;
  }
  log->size += length;
  log->is_broken = false;
  return true;
}

static void numbered(char name[LOG_NAME_BYTES + 12], const struct log *log, unsigned number) {
  if (number == 0) snprintf(name, LOG_NAME_BYTES + 12, "%s", log->name);
  else snprintf(name, LOG_NAME_BYTES + 12, "%s.%u", log->name, number);
}

static void rotate(struct log *log) {
  char from[LOG_NAME_BYTES + 12], to[LOG_NAME_BYTES + 12];
  for (unsigned i = log->max_file; i-- > 1;) {
    numbered(from, log, i - 1);
    numbered(to, log, i);
    renameat(log->folder, from, log->folder, to);
  }
  if (log->fd >= 0) close(log->fd);
  open_file(log, O_TRUNC);
  log->size = 0;
}

/* The entry of `size` bytes at out[used] is complete: it stays, after a rotation if the file would grow past its limit. */
static bool add_entry(struct log *log, size_t size) {
  bool is_well = true;
  const uint64_t before = log->size + log->used;
  if (log->max_size > 0 && before > 0 && before + size > log->max_size) {
    is_well = write_out(log, log->used);
    memmove(log->out, log->out + log->used, size);
    log->used = 0;
    rotate(log);
  }
  log->used += size;
  if (LOG_OUT_BYTES - log->used < ENTRY_MOST) {
    is_well = write_out(log, log->used) && is_well;
    log->used = 0;
  }
  return is_well;
}

/* ——— formats */

/* RFC 3339 with nanoseconds, without the zeros at their end, as Go prints it. */
static size_t print_time(struct log *log, const struct timespec *time, char *text) {
  if (time->tv_sec != log->second) {
    struct tm tm;
    gmtime_r(&time->tv_sec, &tm);
    strftime(log->date, sizeof log->date, "%Y-%m-%dT%H:%M:%S", &tm);
    log->second = time->tv_sec;
  }
  int length = snprintf(text, 40, "%s.%09ld", log->date, time->tv_nsec);
  while (text[length - 1] == '0') length--;
  if (text[length - 1] == '.') length--;
  text[length] = 0;
  return (size_t)length;
}

static void make_stamp(struct log *log, int stream, struct stamp *stamp) {
  struct timespec time;
  char text[40];
  clock_gettime(CLOCK_REALTIME, &time);
  stamp->ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
  if (log->format != LOG_JSON_FILE) return;
  print_time(log, &time, text);
  for (int partial = 0; partial < 2; partial++)
    stamp->tail_sizes[partial] = (size_t)snprintf(stamp->tails[partial], sizeof stamp->tails[partial],
                                                  "%s\",\"stream\":\"%s\",\"time\":\"%sZ\"}\n", partial ? "" : "\\n",
                                                  stream == 0 ? "stdout" : "stderr", text);
}

static size_t put(uint8_t *out, const void *data, size_t size) {
  memcpy(out, data, size);
  return size;
}

static size_t json_entry(uint8_t *out, const struct stamp *stamp, bool partial, const uint8_t *text, size_t length) {
  size_t size = put(out, "{\"log\":\"", 8);
  size += escape_json(out + size, text, length);
  return size + put(out + size, stamp->tails[partial], stamp->tail_sizes[partial]);
}

static size_t local_entry(uint8_t *out, const struct stamp *stamp, int stream, bool partial, const uint8_t *text,
                          size_t length) {
  const uint32_t n = (uint32_t)length;
  size_t size = put(out, &n, 4);
  out[size++] = (uint8_t)(stream + 1);
  out[size++] = partial;
  size += put(out + size, &stamp->ns, 8);
  size += put(out + size, text, length);
  return size + put(out + size, &n, 4);
}

static bool entry(struct log *log, const struct stamp *stamp, int stream, bool partial, const uint8_t *text, size_t length) {
  uint8_t *out = log->out + log->used;
  return add_entry(log, log->format == LOG_JSON_FILE ? json_entry(out, stamp, partial, text, length)
                                                     : local_entry(out, stamp, stream, partial, text, length));
}

/* ——— lines */

static bool have_buffers(struct log *log, struct log_stream *stream) {
  if (!stream->pending) stream->pending = malloc(LOG_LINE_BYTES);
  if (!log->out) {
    void *memory = mmap(NULL, LOG_OUT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    log->out = memory == MAP_FAILED ? NULL : memory;
  }
  return stream->pending && log->out;
}

bool log_take(struct log *log, int stream, uint8_t *data, size_t length) {
  struct log_stream *lines = &log->streams[stream];
  struct stamp stamp;
  if (log->format == LOG_NONE || length == 0) return true;
  if (!have_buffers(log, lines)) return give_up(log);
  make_stamp(log, stream, &stamp);
  const uint8_t *start = data - lines->size, *seen = data, *const end = data + length;
  memcpy(data - lines->size, lines->pending, lines->size);
  bool is_well = true;
  for (;;) {
    const size_t there = (size_t)(end - start), limit = there < LOG_LINE_BYTES ? there : LOG_LINE_BYTES;
    const uint8_t *newline = memchr(seen, '\n', (size_t)(start + limit - seen));
    if (!newline && there < LOG_LINE_BYTES) break;
    const size_t size = newline ? (size_t)(newline - start) : LOG_LINE_BYTES;
    is_well = entry(log, &stamp, stream, !newline, start, size) && is_well;
    seen = start += size + (newline != NULL);
  }
  lines->size = (size_t)(end - start);
  memcpy(lines->pending, start, lines->size);
  is_well = write_out(log, log->used) && is_well;
  log->used = 0;
  return is_well;
}

bool log_end(struct log *log, int stream) {
  struct log_stream *lines = &log->streams[stream];
  struct stamp stamp;
  if (lines->size == 0) return true;
  if (!have_buffers(log, lines)) return give_up(log);
  make_stamp(log, stream, &stamp);
  bool is_well = entry(log, &stamp, stream, true, lines->pending, lines->size);
  is_well = write_out(log, log->used) && is_well;
  log->used = lines->size = 0;
  return is_well;
}

void log_idle(struct log *log) {
  if (log->out) munmap(log->out, LOG_OUT_BYTES);
  log->out = NULL;
  for (int i = 0; i < 2; i++) {
    if (log->streams[i].size > 0) continue;
    free(log->streams[i].pending);
    log->streams[i].pending = NULL;
  }
}
