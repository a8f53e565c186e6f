/*
 * One thread that waits with epoll(7) for pidfds to become readable, and reaps with waitid(2) P_PIDFD: just the processes
 * it was given, so that libuv's own children are never touched.
 */
#include "addon.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct exit_watcher {
  int epoll, stop;
  pthread_t thread;
  exit_report *report;
  void *context;
};

/* A process that is not our child cannot be reaped, and its status stays unknown. */
static void report_exit(struct exit_watcher *watcher, struct watched *watched) {
  siginfo_t info = {0};
  watched->code = -1;
  watched->signal = 0;
  if (waitid(P_PIDFD, (id_t)watched->pidfd, &info, WEXITED | WNOHANG) == 0) {
    if (!info.si_pid) return;
    if (info.si_code == CLD_EXITED)
      watched->code = info.si_status;
    else
      watched->signal = info.si_status;
  } else if (errno == EINTR) {
    return;
  }
  epoll_ctl(watcher->epoll, EPOLL_CTL_DEL, watched->pidfd, NULL);
  watcher->report(watcher->context, watched);
}

static void *watch_exits(void *argument) {
  struct exit_watcher *watcher = argument;
  struct epoll_event events[64];
  for (;;) {
    int count = epoll_wait(watcher->epoll, events, 64, -1);
    for (int i = 0; i < count; i++) {
      if (!events[i].data.ptr) return NULL;
      report_exit(watcher, events[i].data.ptr);
    }
  }
}

struct exit_watcher *exit_watcher_start(exit_report *report, void *context) {
  struct exit_watcher *watcher = calloc(1, sizeof *watcher);
  sigset_t all, before;
  if (!watcher) return NULL;
  watcher->report = report;
  watcher->context = context;
  watcher->epoll = epoll_create1(EPOLL_CLOEXEC);
  watcher->stop = eventfd(0, EFD_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  if (watcher->epoll < 0 || watcher->stop < 0 || epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watcher->stop, &event))
    error = errno;
  else
    error = pthread_create(&watcher->thread, NULL, watch_exits, watcher);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!error) return watcher;
  if (watcher->epoll >= 0) close(watcher->epoll);
  if (watcher->stop >= 0) close(watcher->stop);
  free(watcher);
  errno = error;
  return NULL;
}

int exit_watcher_add(struct exit_watcher *watcher, struct watched *watched) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = watched};
  return epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watched->pidfd, &event) ? -errno : 0;
}

void exit_watcher_stop(struct exit_watcher *watcher) {
  uint64_t one = 1;
  if (write(watcher->stop, &one, sizeof one) == sizeof one)
    pthread_join(watcher->thread, NULL);
  close(watcher->stop);
  close(watcher->epoll);
  free(watcher);
}
