/* The log's lines: however the output is cut into reads, the entries of `local` put together are what was written. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

/* Writes `text` through the log in pieces of `piece` bytes; now and then it rests, as an idle monitor does. */
static void write_log(struct log *log, const uint8_t *text, size_t size, size_t piece) {
  uint8_t *chunk = malloc(LOG_LINE_BYTES + LOG_CHUNK_BYTES);
  for (size_t at = 0, round = 0; at < size; round++) {
    const size_t length = size - at < piece ? size - at : piece;
    memcpy(chunk + LOG_LINE_BYTES, text + at, length);
    if (!log_take(log, 0, chunk + LOG_LINE_BYTES, length)) abort();
    if (round % 3 == 2) log_idle(log);
    at += length;
  }
  if (!log_end(log, 0)) abort();
  log_idle(log);
  free(chunk);
}

/* Entry by entry against the text; answers how much of it was there. */
static size_t read_log(const uint8_t *file, size_t size, const uint8_t *text, size_t text_size) {
  size_t done = 0;
  for (size_t at = 0; at < size;) {
    uint32_t length, again;
    if (size - at < 18) abort();
    memcpy(&length, file + at, 4);
    if (length > LOG_LINE_BYTES || size - at < 18 + (size_t)length) abort();
    memcpy(&again, file + at + 14 + length, 4);
    const uint8_t stream = file[at + 4], partial = file[at + 5];
    if (again != length || stream != 1 || partial > 1) abort();
    if (text_size - done < length + (size_t)!partial || memcmp(text + done, file + at + 14, length) != 0) abort();
    if (memchr(file + at + 14, '\n', length)) abort();
    done += length;
    if (partial ? length != LOG_LINE_BYTES && done != text_size : text[done++] != '\n') abort();
    at += 18 + (size_t)length;
  }
  return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char path[64];
  if (size < 3 || size > 2048) return 0;
  if (!*path) snprintf(path, sizeof path, "/dev/shm/gantry-fuzz-%d.log", getpid());
  const size_t times = data[0] + 1u, piece = data[1] * 128u + 1u, length = (size - 2) * times;
  uint8_t *text = malloc(length);
  for (size_t i = 0; i < times; i++) memcpy(text + i * (size - 2), data + 2, size - 2);
  struct log log;
  if (log_open(&log, LOG_LOCAL, path, 0, 1) != 0) abort();
  write_log(&log, text, length, piece);
  const int fd = open(path, O_RDONLY);
  uint8_t *file = malloc(log.size + 1);
  if (read(fd, file, log.size + 1) != (ssize_t)log.size || read_log(file, log.size, text, length) != length) abort();
  unlink(path);
  close(fd);
  close(log.fd);
  close(log.folder);
  free(file);
  free(text);
  return 0;
}
