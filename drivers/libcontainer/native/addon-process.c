/*
 * Calls about processes. Starting one is clone(2) with CLONE_VM | CLONE_VFORK, as posix_spawn(3) does it: its cost does
 * not grow with the daemon's memory, and it gives a pidfd with no race. The thread that does it stands still until the
 * program runs, and on a busy machine that takes milliseconds: it is one of the pool.
 */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_STACK (64 * 1024)
#define MAX_CHILD_FDS 64
#define MAX_WORDS 65536

struct start {
  const char *path;
  char **argv, **envp;
  const int32_t *fds;
  int fd_count, executable, cgroup;
  volatile int error;
};

/* Descriptors first go out of the way, since one's target may be another's source. */
static int place_descriptors(struct start *start) {
  int parked[MAX_CHILD_FDS];
  int count = start->fd_count;
  if (start->executable >= 0 && (start->executable = fcntl(start->executable, F_DUPFD_CLOEXEC, count)) < 0) return -1;
  if (start->cgroup >= 0 && (start->cgroup = fcntl(start->cgroup, F_DUPFD_CLOEXEC, count)) < 0) return -1;
  for (int i = 0; i < count; i++) {
    int source = start->fds[i] >= 0 ? start->fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);
    parked[i] = fcntl(source, F_DUPFD_CLOEXEC, count);
    if (parked[i] < 0) return -1;
  }
  for (int i = 0; i < count; i++)
    if (dup2(parked[i], i) < 0) return -1;
  return (int)syscall(SYS_close_range, (unsigned)count, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* Runs on the parent's memory while its thread stands still: system calls only, no allocation, no lock. */
static int start_child(void *argument) {
  struct start *start = argument;
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
  } by_default = {SIG_DFL, 0, NULL, 0};
  for (int signal = 1; signal < 65; signal++)
    syscall(SYS_rt_sigaction, signal, &by_default, NULL, 8);
  setsid();
  umask(022);
  if (place_descriptors(start) || chdir("/")) goto failed;
  if (start->cgroup >= 0 && write(start->cgroup, "0", 1) != 1) goto failed;
  uint64_t none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
  if (start->executable >= 0)
    syscall(SYS_execveat, start->executable, "", start->argv, start->envp, AT_EMPTY_PATH);
  else
    execve(start->path, start->argv, start->envp);
failed:
  start->error = errno;
  _exit(127);
}

/* NUL-terminated words, one after the other → a vector of pointers to them. */
static char **words(const uint8_t *bytes, size_t length) {
  size_t count = 0;
  if (length && bytes[length - 1]) return NULL;
  for (size_t i = 0; i < length; i++)
    count += !bytes[i];
  if (count > MAX_WORDS) return NULL;
  char **vector = calloc(count + 1, sizeof *vector);
  for (size_t i = 0, word = 0; vector && i < length; i += strlen((const char *)bytes + i) + 1)
    vector[word++] = (char *)bytes + i;
  return vector;
}

static int64_t run_start(struct start *start, int *pidfd) {
  sigset_t all, before;
  void *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return -errno;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  int64_t pid = clone(start_child, (char *)stack + CHILD_STACK, flags, start, pidfd);
  if (pid < 0)
    pid = -errno;
  /* Before signals may come again: one of the daemon's that interrupts the wait would leave a zombie. */
  if (pid > 0 && start->error) {
    siginfo_t info;
    waitid(P_PIDFD, (id_t)*pidfd, &info, WEXITED);
    close(*pidfd);
    pid = -start->error;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  munmap(stack, CHILD_STACK);
  return pid;
}

/* spawn(executable fd or -1, path, argv, env, descriptors as i32, fd of a cgroup's tasks file or -1) → i32 pid, i32 pidfd */
static int64_t spawn(struct request *r) {
  int pidfd = -1;
  int32_t answer[2];
  struct start start = {
    .path = r->string[0],
    .executable = (int)r->number[0],
    .cgroup = (int)r->number[1],
    .fds = (const int32_t *)(const void *)r->bytes[2],
    .fd_count = (int)(r->length[2] / sizeof(int32_t)),
  };
  if (start.fd_count < 3 || start.fd_count > MAX_CHILD_FDS) return -EINVAL;
  start.argv = words(r->bytes[0], r->length[0]);
  start.envp = words(r->bytes[1], r->length[1]);
  int64_t pid = start.argv && start.argv[0] && start.envp ? run_start(&start, &pidfd) : -E2BIG;
  free(start.argv);
  free(start.envp);
  if (pid < 0) return pid;
  answer[0] = (int32_t)pid;
  answer[1] = pidfd;
  return answer_bytes(r, answer, sizeof answer);
}

static int64_t open_pidfd(struct request *r) {
  long fd = syscall(SYS_pidfd_open, (pid_t)r->number[0], 0);
  return fd < 0 ? -errno : fd;
}

static int64_t send_signal(struct request *r) {
  return syscall(SYS_pidfd_send_signal, (int)r->number[0], (int)r->number[1], NULL, 0) ? -errno : 0;
}

static int64_t set_dumpable(struct request *r) {
  return prctl(PR_SET_DUMPABLE, (unsigned long)r->number[0], 0, 0, 0) ? -errno : 0;
}

const struct call process_calls[] = {
  {"spawn", "isbbbi", spawn, POOL_ONLY},
  {"pidfdOpen", "i", open_pidfd, ANYWHERE},
  {"pidfdSendSignal", "ii", send_signal, ANYWHERE},
  {"setDumpable", "i", set_dumpable, LOOP_ONLY},
  {NULL, NULL, NULL, ANYWHERE},
};
