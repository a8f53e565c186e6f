/* Operations that make and join namespaces. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "perform.h"

/* The mount namespace of a new process. Held by the monitor, so that tearing it down does not delay the exit. */
static int mount_namespace_of(pid_t pid, int pidfd) {
  enum { PIDFD_GET_MNT_NAMESPACE = 0xff03 }; /* since 6.11 */
  char path[40];
  const int fd = ioctl(pidfd, PIDFD_GET_MNT_NAMESPACE, 0);
  if (fd >= 0) return fd;
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
  return open(path, O_RDONLY | O_CLOEXEC);
}

int perform_clone(struct interpreter *interpreter, const struct op_clone *op) {
  int pidfd = -1;
  if (interpreter->in_child) return -EINVAL;
  struct k_clone_args args = {
      .flags = op->namespaces | K_CLONE_PIDFD,
      .pidfd = (uint64_t)(uintptr_t)&pidfd,
      .exit_signal = SIGCHLD,
  };
  if (op->cgroupSlot != SLOT_NONE) {
    const int cgroup = slot_get(interpreter, op->cgroupSlot);
    if (cgroup < 0) return cgroup;
    args.flags |= K_CLONE_INTO_CGROUP;
    args.cgroup = (uint64_t)cgroup;
  }
  const int pid = k_clone3(&args);
  if (pid < 0) return pid;
  if (pid > 0) {
    interpreter->child = pid;
    interpreter->child_pidfd = pidfd;
    if (op->namespaces & CLONE_NEWNS) interpreter->mount_namespace = mount_namespace_of(pid, pidfd);
    return 0;
  }
  interpreter->in_child = true;
  return interpreter->cloned ? -interpreter->cloned(interpreter, interpreter->argument) : 0;
}

int fork_into_pid_namespace(struct interpreter *interpreter) {
  /* CLONE_PARENT: the new process is the monitor's child, as we are. It takes our exit signal. */
  struct k_clone_args args = {.flags = CLONE_PARENT};
  const int pid = k_clone3(&args);
  if (pid < 0) return pid;
  if (pid > 0) {
    interpreter->report->pid = pid;
    interpreter->ended = true;
  }
  return 0;
}

int perform_unshare(struct interpreter *interpreter, const struct op_unshare *op) {
  if (unshare((int)op->namespaces) < 0) return -errno;
  return interpreter->in_child && op->namespaces & CLONE_NEWPID ? fork_into_pid_namespace(interpreter) : 0;
}

int perform_setns(struct interpreter *interpreter, const struct op_setns *op) {
  const int fd = slot_get(interpreter, op->slot);
  if (fd < 0) return fd;
  if (setns(fd, (int)op->namespaces) < 0) return -errno;
  return interpreter->in_child && op->namespaces & CLONE_NEWPID ? fork_into_pid_namespace(interpreter) : 0;
}

int perform_sethostname(struct interpreter *interpreter, const struct op_sethostname *op) {
  (void)interpreter;
  return result_of(sethostname(op->name, strlen(op->name)));
}

int perform_setdomainname(struct interpreter *interpreter, const struct op_setdomainname *op) {
  (void)interpreter;
  return result_of(setdomainname(op->name, strlen(op->name)));
}
