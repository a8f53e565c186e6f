#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel.h"
#include "monitor.h"

/* ——— what comes in */

struct incoming {
  struct monitor *monitor;
  struct connection *connection;
};

static size_t take_stdin(void *argument, const uint8_t *data, size_t length) {
  const struct incoming *incoming = argument;
  const bool may_write = incoming->connection->kind == CONNECTION_ATTACHMENT && incoming->connection->flags & ATTACH_STDIN;
  return may_write ? stdin_write(incoming->monitor, data, length) : length;
}

static bool take_control(struct monitor *monitor, uint8_t type, const uint8_t *payload, size_t length) {
  if (type == FRAME_SIGNAL && length == 4) {
    if (monitor->exit.fd >= 0) k_pidfd_send_signal(monitor->exit.fd, (int)read_u32_be(payload));
    return true;
  }
  if (type == FRAME_RESIZE && length == 8) {
    const uint32_t rows = read_u32_be(payload), columns = read_u32_be(payload + 4);
    const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    if (monitor->terminal >= 0) ioctl(monitor->terminal, TIOCSWINSZ, &size);
    return true;
  }
  return false;
}

static bool take_hello(struct monitor *monitor, struct connection *connection, uint8_t type, const uint8_t *payload,
                       size_t length) {
  if (type == FRAME_HELLO_CONTROL && length == 0) {
    connection->kind = CONNECTION_CONTROL;
    if (monitor->is_started) say_state(monitor, connection);
    return true;
  }
  if (type == FRAME_HELLO_ATTACH && length == 1 && payload[0] < 8) {
    connection->kind = CONNECTION_ATTACHMENT;
    connection->flags = payload[0];
    return true;
  }
  return false;
}

static bool take_frame(void *argument, uint8_t type, const uint8_t *payload, size_t length) {
  const struct incoming *incoming = argument;
  struct connection *connection = incoming->connection;
  if (connection->kind == CONNECTION_NEW) return take_hello(incoming->monitor, connection, type, payload, length);
  if (connection->kind == CONNECTION_CONTROL) return take_control(incoming->monitor, type, payload, length);
  if (type != FRAME_CLOSE_STDIN || length != 0) return false;
  if (connection->flags & ATTACH_STDIN) stdin_close(incoming->monitor);
  return true;
}

static void read_frames(struct monitor *monitor, struct connection *connection, const uint8_t *data, size_t length) {
  struct incoming incoming = {monitor, connection};
  const struct frame_handler handler = {take_stdin, take_frame, &incoming};
  size_t used;
  const enum frame_result result = frame_read(&connection->reader, data, length, &used, &handler);
  if (result == FRAMES_BAD) connection->is_gone = true;
  uint8_t *rest = NULL;
  if (result == FRAMES_WAIT && !(rest = malloc(length - used))) connection->is_gone = true;
  if (rest) memcpy(rest, data + used, length - used);
  free(connection->input);
  connection->input = rest;
  connection->input_size = rest ? length - used : 0;
}

static uint32_t wanted_events(const struct connection *connection) {
  return (connection->input ? 0u : (uint32_t)EPOLLIN) | (outbox_is_empty(&connection->outbox) ? 0u : (uint32_t)EPOLLOUT);
}

static void connection_ready(struct monitor *monitor, struct source *source) {
  struct connection *connection = (struct connection *)source;
  uint8_t *scratch = scratch_chunk(monitor);
  if (!scratch || connection->is_gone) return;
  if (!outbox_is_empty(&connection->outbox)) {
    outbox_flush(&connection->outbox, scratch, now_ms());
    if (connection->is_full && outbox_has_room(&connection->outbox)) {
      connection->is_full = false;
      stdio_watch(monitor);
    }
  }
  if (!connection->input) {
    const ssize_t size = recv(source->fd, scratch, LOG_CHUNK_BYTES, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) connection->is_gone = true;
    if (size > 0) read_frames(monitor, connection, scratch, (size_t)size);
  }
  if (connection->outbox.is_broken) connection->is_gone = true;
  if (!connection->is_gone) watch(monitor, source, wanted_events(connection));
}

void connections_resume_input(struct monitor *monitor) {
  for (struct connection *each = monitor->connections; each; each = each->next) {
    if (!each->input || each->is_gone) continue;
    uint8_t *input = each->input;
    each->input = NULL;
    read_frames(monitor, each, input, each->input_size);
    free(input);
    if (!each->is_gone) watch(monitor, &each->source, wanted_events(each));
  }
}

/* ——— what goes out */

static void send_to(struct monitor *monitor, struct connection *connection, uint8_t type, const void *data, size_t length) {
  outbox_send(&connection->outbox, monitor->spool_folder, type, data, length, now_ms());
  if (connection->outbox.is_broken) {
    connection->is_gone = true;
    return;
  }
  if (outbox_is_full(&connection->outbox) && !connection->is_full) {
    connection->is_full = true;
    stdio_watch(monitor);
  }
  watch(monitor, &connection->source, wanted_events(connection));
}

void connections_send(struct monitor *monitor, enum connection_kind kind, uint8_t flag, uint8_t type, const void *data,
                      size_t length) {
  for (struct connection *each = monitor->connections; each; each = each->next)
    if (each->kind == kind && !each->is_gone && (flag == 0 || each->flags & flag))
      send_to(monitor, each, type, data, length);
}

/* ——— coming and going */

bool connection_add(struct monitor *monitor, int fd, enum connection_kind kind, uint8_t flags) {
  struct connection *connection = monitor->connection_count < MAX_CONNECTIONS ? calloc(1, sizeof *connection) : NULL;
  if (!connection) return close(fd), false;
  connection->source = (struct source){.fd = fd, .ready = connection_ready};
  connection->outbox = (struct outbox){.socket = fd, .spool = -1, .most = monitor->options.spool_bytes};
  connection->kind = kind;
  connection->flags = flags;
  connection->next = monitor->connections;
  monitor->connections = connection;
  monitor->connection_count++;
  watch(monitor, &connection->source, EPOLLIN);
  return true;
}

void connections_sweep(struct monitor *monitor) {
  bool was_full = false;
  for (struct connection **link = &monitor->connections; *link;) {
    struct connection *each = *link;
    if (!each->is_gone) {
      link = &each->next;
      continue;
    }
    *link = each->next;
    was_full = was_full || each->is_full;
    watch(monitor, &each->source, 0);
    outbox_close(&each->outbox);
    free(each->input);
    free(each);
    monitor->connection_count--;
  }
  if (was_full) stdio_watch(monitor);
}

bool connections_finish(struct monitor *monitor) {
  for (struct connection *each = monitor->connections; each; each = each->next)
    if (outbox_is_empty(&each->outbox)) each->is_gone = true;
  connections_sweep(monitor);
  return !monitor->connections;
}

/* Who holds the process back, has been cut off, or keeps the monitor from ending must take something now and then. */
static bool must_move(const struct monitor *monitor, const struct connection *connection) {
  const bool is_ending = monitor->is_failed || (monitor->is_reported && stdio_has_ended(monitor));
  const bool is_awaited = connection->is_full || connection->outbox.is_cut || is_ending;
  return !connection->is_gone && is_awaited && !outbox_is_empty(&connection->outbox);
}

static void lose_patience(struct monitor *monitor, struct connection *connection, int64_t now) {
  static const char words[] = "attachment was cut off: its reader stands still\n";
  if (connection->outbox.is_cut || monitor->is_reported || monitor->is_failed) {
    connection->is_gone = true;
    return;
  }
  outbox_cut(&connection->outbox, monitor->spool_folder, words, now);
  connection->is_full = false;
  if (connection->outbox.is_broken) connection->is_gone = true;
  stdio_watch(monitor);
}

int connections_timeout(struct monitor *monitor) {
  int64_t least = -1;
  for (struct connection *each = monitor->connections; each; each = each->next) {
    if (!must_move(monitor, each)) continue;
    const int64_t now = now_ms(), left = each->outbox.progress_ms + monitor->options.patience_ms - now;
    if (left <= 0) lose_patience(monitor, each, now);
    const int64_t wait = left > 0 ? left : 0;
    least = least < 0 || wait < least ? wait : least;
  }
  return (int)least;
}

/* ——— the listening socket */

static void listener_ready(struct monitor *monitor, struct source *source) {
  const int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) connection_add(monitor, fd, CONNECTION_NEW, 0);
}

bool listen_on(struct monitor *monitor, const char *folder) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/sock", folder);
  if (length < 0 || (size_t)length >= sizeof address.sun_path) return errno = ENAMETOOLONG, false;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const mode_t before = umask(0177);
  const bool is_bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 128) == 0;
  umask(before);
  if (!is_bound) return close(fd), false;
  monitor->listener = (struct source){.fd = fd, .ready = listener_ready};
  watch(monitor, &monitor->listener, EPOLLIN);
  return true;
}
