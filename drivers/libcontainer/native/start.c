/* From a program to a process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "kernel.h"
#include "monitor.h"

enum { READ_END, WRITE_END };

/* Lives from the reading of the program to its execve. */
struct start {
  struct program program;
  void *bytes;
  size_t size;
  struct report *report;
  size_t report_size;
  int status[2];
  int console[2]; /* ours, the child's */
  int stdio[3][2];
  struct interpreter interpreter;
};

static void *take_memory(size_t size, int sharing) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static void close_both(int pair[2]) {
  for (int i = 0; i < 2; i++) {
    if (pair[i] >= 0) close(pair[i]);
    pair[i] = -1;
  }
}

static void close_end(int pair[2], int end) {
  if (pair[end] >= 0) close(pair[end]);
  pair[end] = -1;
}

static int take_end(int pair[2], int end) {
  const int fd = pair[end];
  pair[end] = -1;
  return fd;
}

static void forget(struct monitor *monitor) {
  struct start *start = monitor->start;
  for (int i = 0; i < 3; i++) close_both(start->stdio[i]);
  close_both(start->console);
  close_both(start->status);
  if (start->interpreter.arena.start) interpreter_close(&start->interpreter);
  if (start->report) munmap(start->report, start->report_size);
  if (start->bytes) munmap(start->bytes, start->size);
  munmap(start, sizeof *start);
  monitor->start = NULL;
}

/* ——— the program */

static int load_program(struct start *start, int fd) {
  struct stat stat;
  if (fstat(fd, &stat) < 0) return errno;
  if (stat.st_size <= 0 || stat.st_size > MAX_PROGRAM_BYTES) return EINVAL;
  start->size = (size_t)stat.st_size;
  start->bytes = take_memory(start->size, MAP_PRIVATE);
  if (!start->bytes) return ENOMEM;
  for (size_t done = 0; done < start->size;) {
    const ssize_t size = pread(fd, (char *)start->bytes + done, start->size - done, (off_t)done);
    if (size <= 0) return size < 0 ? errno : EINVAL;
    done += (size_t)size;
  }
  const int error = program_open(&start->program, start->bytes, start->size);
  if (error) return error;
  start->report_size = report_size(&start->program);
  start->report = take_memory(start->report_size, MAP_SHARED);
  return start->report ? interpreter_init(&start->interpreter, &start->program, start->report) : ENOMEM;
}

static int make_pipes(struct start *start, const struct options *options) {
  if (pipe2(start->status, O_CLOEXEC) < 0) return errno;
  if (options->tty) return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, start->console) < 0 ? errno : 0;
  for (int i = options->stdin_open ? 0 : 1; i < 3; i++)
    if (pipe2(start->stdio[i], O_CLOEXEC) < 0) return errno;
  return 0;
}

/* ——— the child */

/* What the monitor has open is none of ours: a process of the container that may ptrace(2) could reach for it. */
static void keep_only_ours(const struct start *start, const struct interpreter *interpreter) {
  int kept[SLOT_COUNT + 2];
  for (size_t i = 0; i < SLOT_COUNT; i++) kept[i] = interpreter->slots[i];
  kept[SLOT_COUNT] = start->status[WRITE_END];
  kept[SLOT_COUNT + 1] = start->console[1];
  close_all_but(kept, SLOT_COUNT + 2);
}

/* Right after the clone: from here on nobody in the container's namespaces can look into us. */
static int child_begins(struct interpreter *interpreter, void *argument) {
  struct start *start = argument;
  if (prctl(K_PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return errno;
  for (int i = 0; i < 3; i++) {
    const int fd = start->stdio[i][i == 0 ? READ_END : WRITE_END];
    if (fd >= 0 && dup2(fd, i) < 0) return errno;
  }
  keep_only_ours(start, interpreter);
  return 0;
}

_Noreturn static void child_ends(struct start *start, enum outcome outcome) {
  if (outcome == OUTCOME_DONE) {
    start->report->stage = STAGE_FAILED;
    start->report->error = EINVAL;
    snprintf(start->report->detail, MAX_DETAIL, "the program ends without execve");
  }
  _exit(outcome == OUTCOME_ENDED ? start->interpreter.exit_status : 1);
}

/* A program without `clone`: we fork, all of it runs in the child. */
static enum outcome run_in_child(struct start *start) {
  struct interpreter *interpreter = &start->interpreter;
  const uint64_t pidfd = (uint64_t)(uintptr_t)&interpreter->child_pidfd;
  struct k_clone_args args = {.flags = K_CLONE_PIDFD, .pidfd = pidfd, .exit_signal = SIGCHLD};
  const int pid = k_clone3(&args);
  if (pid < 0) {
    start->report->error = -pid;
    return OUTCOME_FAILED;
  }
  interpreter->child = pid;
  if (pid > 0) return OUTCOME_PARENT;
  interpreter->in_child = true;
  const int error = child_begins(interpreter, start);
  start->report->error = error;
  return error ? OUTCOME_FAILED : interpreter_run(interpreter, &start->program);
}

/* ——— the parent */

static int receive_descriptor(int socket) {
  char byte;
  int fd = -1;
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec data = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0) return -1;
  const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof fd))
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

static int non_blocking(int fd) {
  if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

static void take_stdio(struct monitor *monitor, struct start *start) {
  const struct options *options = &monitor->options;
  if (options->tty) {
    const struct winsize size = {.ws_row = (unsigned short)options->height, .ws_col = (unsigned short)options->width};
    monitor->terminal = monitor->outputs[0].source.fd = non_blocking(receive_descriptor(start->console[0]));
    if (monitor->terminal >= 0 && options->height && options->width) ioctl(monitor->terminal, TIOCSWINSZ, &size);
    if (options->stdin_open && monitor->terminal >= 0) monitor->input.fd = fcntl(monitor->terminal, F_DUPFD_CLOEXEC, 3);
    return;
  }
  monitor->input.fd = non_blocking(take_end(start->stdio[0], WRITE_END));
  for (int i = 0; i < 2; i++) monitor->outputs[i].source.fd = non_blocking(take_end(start->stdio[i + 1], READ_END));
}

static void reap(pid_t pid) {
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
}

/* The report is memory that a process in the container's namespaces could write to: nothing in it is relied upon. */
static void bound_report(struct report *report, const struct program *program) {
  if (report->done > program->operations) report->done = program->operations;
  if (report->warning_count > MAX_WARNINGS) report->warning_count = MAX_WARNINGS;
  report->detail[MAX_DETAIL - 1] = 0;
}

static bool is_our_child(pid_t pid) {
  siginfo_t info;
  return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* A process that forked once more to be in its pid namespace has left its number. */
static void take_process(struct monitor *monitor, const struct report *report) {
  if (!is_our_child(report->pid)) return;
  reap(monitor->pid);
  monitor->pid = report->pid;
  unwatch_and_close(monitor, &monitor->exit);
  monitor->exit = (struct source){.fd = k_pidfd_open(monitor->pid)};
}

static void keep_warnings(struct monitor *monitor, const struct report *report) {
  const size_t size = report->warning_count * sizeof *report->warnings;
  if (size == 0 || !(monitor->warnings = malloc(size))) return;
  memcpy(monitor->warnings, report->warnings, size);
  monitor->warning_count = report->warning_count;
}

static void fail(struct monitor *monitor) {
  struct report *report = monitor->start->report;
  if (report->stage != STAGE_FAILED && report->error == 0) {
    report->error = ECHILD;
    snprintf(report->detail, MAX_DETAIL, "the process was killed while it was being set up");
  }
  say_failed(monitor, report);
}

/* Nobody has the write end of the status pipe any more: the process executes, or there is none. */
static void status_ready(struct monitor *monitor, struct source *source) {
  struct start *start = monitor->start;
  bound_report(start->report, &start->program);
  take_process(monitor, start->report);
  unwatch_and_close(monitor, source);
  if (start->report->stage == STAGE_EXECUTING) {
    keep_warnings(monitor, start->report);
    take_stdio(monitor, start);
    process_started(monitor);
    say_started(monitor, start->report);
    forget(monitor);
    stdio_begin(monitor);
    return;
  }
  reap(monitor->pid);
  fail(monitor);
  forget(monitor);
  monitor->is_failed = true;
}

static void parent_goes_on(struct monitor *monitor, struct start *start) {
  struct interpreter *interpreter = &start->interpreter;
  monitor->pid = interpreter->child;
  monitor->exit.fd = interpreter->child_pidfd;
  monitor->mount_namespace = interpreter->mount_namespace;
  monitor_watch_oom(monitor);
  for (int i = 0; i < 3; i++) close_end(start->stdio[i], i == 0 ? READ_END : WRITE_END);
  close_end(start->console, 1);
  close_end(start->status, WRITE_END);
  interpreter_close(interpreter);
  interpreter->arena.start = NULL;
  monitor->status = (struct source){.fd = take_end(start->status, READ_END), .ready = status_ready};
  watch(monitor, &monitor->status, EPOLLIN);
}

static bool run(struct monitor *monitor, struct start *start) {
  struct interpreter *interpreter = &start->interpreter;
  interpreter->cloned = child_begins;
  interpreter->argument = start;
  interpreter->console = start->console[1];
  interpreter->title = monitor->title;
  interpreter->title_size = monitor->title_size;
  if (monitor->options.pidfd >= 0) slot_put(interpreter, SLOT_PIDFD, monitor->options.pidfd);
  const enum outcome outcome = monitor->is_exec ? run_in_child(start) : interpreter_run(interpreter, &start->program);
  if (interpreter->in_child) child_ends(start, outcome);
  if (outcome == OUTCOME_PARENT) return parent_goes_on(monitor, start), true;
  if (outcome == OUTCOME_FAILED) say_failed(monitor, start->report);
  else say_failure(monitor, EINVAL, "the program has no clone");
  return false;
}

bool start_process(struct monitor *monitor, int program_fd) {
  struct start *start = monitor->start = take_memory(sizeof *start, MAP_PRIVATE);
  if (!start) return say_failure(monitor, ENOMEM, "out of memory"), false;
  for (int i = 0; i < 2; i++) start->status[i] = start->console[i] = -1;
  for (int i = 0; i < 3; i++) start->stdio[i][READ_END] = start->stdio[i][WRITE_END] = -1;
  int error = load_program(start, program_fd);
  close(program_fd);
  if (error) say_failure(monitor, error, "the program cannot be read");
  if (!error && (error = make_pipes(start, &monitor->options))) say_failure(monitor, error, "pipes cannot be made");
  const bool is_started = !error && run(monitor, start);
  if (!is_started) forget(monitor);
  return is_started;
}
