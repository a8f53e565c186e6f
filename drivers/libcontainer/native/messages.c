#include <fcntl.h>
#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "monitor.h"

/* Text that grows. Once memory is short it stays empty. */
struct text {
  char *data;
  size_t size, space;
};

static bool make_room(struct text *text, size_t more) {
  if (text->size + more <= text->space) return true;
  const size_t space = (text->size + more) * 2;
  char *data = realloc(text->data, space);
  if (!data) return false;
  text->data = data;
  text->space = space;
  return true;
}

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
  va_list arguments;
  if (!make_room(text, 160)) return;
  va_start(arguments, format);
  text->size += (size_t)vsnprintf(text->data + text->size, 160, format, arguments);
  va_end(arguments);
}

static void add_string(struct text *text, const char *string) {
  const size_t length = strlen(string);
  if (!make_room(text, length * ESCAPE_MOST + ESCAPE_SLACK + 2)) return;
  text->data[text->size++] = '"';
  text->size += escape_json((uint8_t *)text->data + text->size, (const uint8_t *)string, length);
  text->data[text->size++] = '"';
}

static void add_times(struct text *text, const struct report *report) {
  add(text, "\"ns\":[");
  for (uint32_t i = 0; i < report->done; i++) add(text, "%s%llu", i ? "," : "", (unsigned long long)report->ns[i]);
  add(text, "]");
}

static void add_state(struct text *text, const struct monitor *monitor) {
  const long long seconds = monitor->started_s, ns = monitor->started_ns;
  add(text, "{\"pid\":%d,\"at\":\"%lld.%09lld\",\"warnings\":[", monitor->pid, seconds, ns);
  for (uint32_t i = 0; i < monitor->warning_count; i++)
    add(text, "%s{\"op\":%u,\"errno\":%d}", i ? "," : "", monitor->warnings[i].operation, monitor->warnings[i].error);
  add(text, "]");
}

static void tell_control(struct monitor *monitor, uint8_t type, struct text *text) {
  connections_send(monitor, CONNECTION_CONTROL, 0, type, text->data, text->size);
  free(text->data);
}

void say_started(struct monitor *monitor, const struct report *report) {
  struct text text = {0};
  add_state(&text, monitor);
  add(&text, ",");
  add_times(&text, report);
  add(&text, "}");
  tell_control(monitor, FRAME_STARTED, &text);
}

void say_state(struct monitor *monitor, struct connection *connection) {
  struct text text = {0};
  add_state(&text, monitor);
  add(&text, "}");
  outbox_send(&connection->outbox, monitor->spool_folder, FRAME_STATE, text.data, text.size, now_ms());
  free(text.data);
  if (monitor->is_reported)
    outbox_send(&connection->outbox, monitor->spool_folder, FRAME_EXITED, monitor->exited, strlen(monitor->exited), now_ms());
}

void say_failed(struct monitor *monitor, const struct report *report) {
  struct text text = {0};
  add(&text, "{\"op\":%d,\"errno\":%d,\"detail\":", report->failed, report->error);
  add_string(&text, report->detail);
  add(&text, ",");
  add_times(&text, report);
  add(&text, "}");
  tell_control(monitor, FRAME_FAILED, &text);
}

void say_failure(struct monitor *monitor, int error, const char *detail) {
  struct report report = {.failed = -1, .error = error};
  snprintf(report.detail, sizeof report.detail, "%s", detail);
  say_failed(monitor, &report);
}

/* The content of `exit` is there whole or not at all. */
static void write_exit_file(const struct monitor *monitor) {
  const int fd = openat(monitor->folder, "exit.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  const size_t length = strlen(monitor->exited);
  const bool is_written = write(fd, monitor->exited, length) == (ssize_t)length;
  close(fd);
  if (is_written) renameat(monitor->folder, "exit.tmp", monitor->folder, "exit");
}

void note_exit(struct monitor *monitor, int status, bool is_oom) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  snprintf(monitor->exited, sizeof monitor->exited, "{\"code\":%d,\"signal\":%d,\"oom\":%s,\"at\":\"%lld.%09ld\"}",
           signal ? 128 + signal : WEXITSTATUS(status), signal, is_oom ? "true" : "false", (long long)now.tv_sec, now.tv_nsec);
}

void say_exited(struct monitor *monitor) {
  write_exit_file(monitor);
  connections_send(monitor, CONNECTION_CONTROL, 0, FRAME_EXITED, monitor->exited, strlen(monitor->exited));
}
