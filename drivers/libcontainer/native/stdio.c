#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "monitor.h"

/* ——— what the process writes */

/* A warning that something was lost goes to the daemon; the container is not to know. */
static void warn_of_log(struct monitor *monitor) {
  static const char words[] = "the log cannot be written, what does not fit is lost\n";
  connections_send(monitor, CONNECTION_CONTROL, 0, FRAME_SYSTEM_ERROR, words, sizeof words - 1);
}

static uint8_t flag_of(const struct output *output) { return output->index == 0 ? ATTACH_STDOUT : ATTACH_STDERR; }

/* A process may let go of its terminal and open /dev/console again, as an init does for each message: that is no end before
 * its own. While nobody else has the other side open, we do. */
static bool hold_peer(struct monitor *monitor) {
  if (monitor->terminal < 0 || monitor->is_reaped) return false;
  if (monitor->terminal_peer >= 0) close(monitor->terminal_peer); /* vhangup(2) has made it useless */
  monitor->terminal_peer = ioctl(monitor->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  return monitor->terminal_peer >= 0;
}

static void end_output(struct monitor *monitor, struct output *output) {
  if (monitor->terminal == output->source.fd) monitor->terminal = -1;
  unwatch_and_close(monitor, &output->source);
  if (!log_end(&monitor->log, output->index)) warn_of_log(monitor);
}

/* One read. False when there is nothing more for now. */
static bool read_output(struct monitor *monitor, struct output *output) {
  uint8_t *chunk = scratch_chunk(monitor);
  if (!chunk) return false;
  const ssize_t size = read(output->source.fd, chunk, LOG_CHUNK_BYTES);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  /* A pty says EIO when nobody has its other side open any more. */
  if (size < 0 && errno == EIO && hold_peer(monitor)) return false;
  if (size <= 0) return end_output(monitor, output), false;
  const uint8_t type = output->index == 0 ? FRAME_STDOUT : FRAME_STDERR;
  connections_send(monitor, CONNECTION_ATTACHMENT, flag_of(output), type, chunk, (size_t)size);
  if (!log_take(&monitor->log, output->index, chunk, (size_t)size)) warn_of_log(monitor);
  output->to_drain -= output->to_drain < (size_t)size ? output->to_drain : (size_t)size;
  return true;
}

static bool is_held(const struct monitor *monitor, const struct output *output) {
  for (const struct connection *each = monitor->connections; each; each = each->next)
    if (each->is_full && !each->is_gone && each->flags & flag_of(output)) return true;
  return false;
}

static void output_ready(struct monitor *monitor, struct source *source) {
  struct output *output = (struct output *)source;
  if (!read_output(monitor, output)) output->to_drain = 0;
}

void stdio_watch(struct monitor *monitor) {
  for (int i = 0; i < 2; i++) {
    struct output *output = &monitor->outputs[i];
    if (output->source.fd >= 0) watch(monitor, &output->source, is_held(monitor, output) ? 0 : EPOLLIN);
  }
}

/* After the exit: what is in the pipes now is read before EXITED, what others go on to write is not waited for. */
void stdio_begin_drain(struct monitor *monitor) {
  enum { MOST_IN_A_PIPE = 1 << 20 };
  for (int i = 0; i < 2; i++)
    if (monitor->outputs[i].source.fd >= 0) monitor->outputs[i].to_drain = MOST_IN_A_PIPE;
}

bool stdio_drain(struct monitor *monitor) {
  for (int i = 0; i < 2; i++) {
    struct output *output = &monitor->outputs[i];
    while (output->to_drain > 0 && !is_held(monitor, output))
      if (!read_output(monitor, output)) output->to_drain = 0;
  }
  return monitor->outputs[0].to_drain == 0 && monitor->outputs[1].to_drain == 0;
}

bool stdio_has_ended(const struct monitor *monitor) {
  return monitor->outputs[0].source.fd < 0 && monitor->outputs[1].source.fd < 0;
}

/* ——— what it reads */

static void input_ready(struct monitor *monitor, struct source *source) {
  watch(monitor, source, 0);
  connections_resume_input(monitor);
}

size_t stdin_write(struct monitor *monitor, const uint8_t *data, size_t length) {
  struct source *input = &monitor->input;
  size_t done = 0;
  if (!monitor->is_started && monitor->options.stdin_open) return 0;
  while (done < length && input->fd >= 0) {
    const ssize_t written = write(input->fd, data + done, length - done);
    if (written > 0) {
      done += (size_t)written;
    } else if (written < 0 && errno == EAGAIN) {
      watch(monitor, input, EPOLLOUT);
      return done;
    } else if (written == 0 || errno != EINTR) {
      unwatch_and_close(monitor, input);
    }
  }
  /* Nobody reads it any more, or nobody ever did. */
  return length;
}

void stdin_close(struct monitor *monitor) {
  /* A terminal stays what it is: its end of input is a character. */
  if (!monitor->options.tty) unwatch_and_close(monitor, &monitor->input);
}

void stdio_begin(struct monitor *monitor) {
  for (int i = 0; i < 2; i++) {
    monitor->outputs[i].source.ready = output_ready;
    monitor->outputs[i].index = (uint8_t)i;
  }
  monitor->input.ready = input_ready;
  stdio_watch(monitor);
  connections_resume_input(monitor);
}
