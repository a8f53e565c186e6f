#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "rest.h"

/* How long nothing must happen before buffers are given back. */
enum { IDLE_MS = 250 };

int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void watch(struct monitor *monitor, struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.ptr = source}};
  if (source->fd < 0 || source->watched == events) return;
  const int change = events == 0 ? EPOLL_CTL_DEL : source->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(monitor->epoll, change, source->fd, &event) == 0) source->watched = events;
}

void unwatch_and_close(struct monitor *monitor, struct source *source) {
  if (source->fd < 0) return;
  watch(monitor, source, 0);
  close(source->fd);
  source->fd = -1;
}

uint8_t *scratch_chunk(struct monitor *monitor) {
  if (!monitor->scratch) {
    void *memory = mmap(NULL, SCRATCH_BYTES_ALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    monitor->scratch = memory;
  }
  monitor->is_dirty = true;
  return monitor->scratch + LOG_LINE_BYTES;
}

static void give_back(struct monitor *monitor) {
  if (monitor->scratch) munmap(monitor->scratch, SCRATCH_BYTES_ALL);
  monitor->scratch = NULL;
  monitor->is_dirty = false;
  log_idle(&monitor->log);
}

/* ——— the end */

/* The number behind "oom_kill " in the cgroup's file. */
static uint64_t oom_kills(const struct monitor *monitor) {
  char text[512];
  if (monitor->oom_fd < 0) return 0;
  const ssize_t size = pread(monitor->oom_fd, text, sizeof text - 1, 0);
  if (size <= 0) return 0;
  text[size] = 0;
  const char *line = strstr(text, "oom_kill ");
  return line ? strtoull(line + 9, NULL, 10) : 0;
}

void monitor_watch_oom(struct monitor *monitor) {
  monitor->oom_fd = monitor->options.oom_path[0] ? open(monitor->options.oom_path, O_RDONLY | O_CLOEXEC) : -1;
  monitor->oom_before = oom_kills(monitor);
}

static void exit_ready(struct monitor *monitor, struct source *source) {
  int status = 0;
  watch(monitor, source, 0);
  while (waitpid(monitor->pid, &status, 0) < 0 && errno == EINTR) continue;
  note_exit(monitor, status, oom_kills(monitor) > monitor->oom_before);
  unwatch_and_close(monitor, source);
  unwatch_and_close(monitor, &monitor->input);
  if (monitor->terminal_peer >= 0) close(monitor->terminal_peer);
  monitor->terminal_peer = -1;
  monitor->is_reaped = true;
  stdio_begin_drain(monitor);
}

static void let_go_of_mounts(struct monitor *monitor) {
  if (monitor->mount_namespace >= 0) close(monitor->mount_namespace);
  monitor->mount_namespace = -1;
}

static void end(struct monitor *monitor) {
  unlinkat(monitor->folder, "sock", 0);
  monitor->is_over = true;
}

/* Reaped → all read → `exit` → EXITED → attachments closed → `sock` unlinked → the end. The mounts are torn down by who
 * holds the namespace last: that is us, when everybody has been told. */
static void settle(struct monitor *monitor) {
  connections_sweep(monitor);
  if (monitor->is_failed && connections_finish(monitor)) end(monitor);
  if (!monitor->is_reaped) return;
  if (!monitor->is_reported && stdio_drain(monitor)) {
    monitor->is_reported = true;
    say_exited(monitor);
  }
  if (!monitor->is_reported) return;
  if (stdio_has_ended(monitor) && connections_finish(monitor)) end(monitor);
  let_go_of_mounts(monitor);
}

void process_started(struct monitor *monitor) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  monitor->started_s = time.tv_sec;
  monitor->started_ns = time.tv_nsec;
  monitor->is_started = true;
  monitor->exit.ready = exit_ready;
  watch(monitor, &monitor->exit, EPOLLIN);
}

/* ——— the loop */

static int timeout_of(struct monitor *monitor) {
  const int patience = connections_timeout(monitor);
  if (!monitor->is_dirty) return patience;
  return patience >= 0 && patience < IDLE_MS ? patience : IDLE_MS;
}

int monitor_loop(struct monitor *monitor) {
  enum { EVENTS_A_ROUND = 8 };
  struct epoll_event events[EVENTS_A_ROUND];
  for (settle(monitor); !monitor->is_over; settle(monitor)) {
    const int timeout = timeout_of(monitor);
    const int count = timeout < 0 ? rest(monitor->epoll, events, EVENTS_A_ROUND)
                                  : epoll_wait(monitor->epoll, events, EVENTS_A_ROUND, timeout);
    if (count == 0 && monitor->is_dirty && timeout == IDLE_MS) give_back(monitor);
    for (int i = 0; i < count; i++) {
      struct source *source = events[i].data.ptr;
      if (source->fd >= 0) source->ready(monitor, source);
    }
  }
  return 0;
}
