/* System calls that musl has no wrapper for, under our own names so that a libc which has them does not mind. Each answers
 * what the call does, or -errno. */
#ifndef GANTRY_KERNEL_H
#define GANTRY_KERNEL_H

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define RESULT(call)                      \
  do {                                    \
    const long result_ = (call);          \
    return result_ < 0 ? -errno : (int)result_; \
  } while (0)

/* openat2(2) */
enum { K_RESOLVE_NO_XDEV = 0x01, K_RESOLVE_NO_MAGICLINKS = 0x02, K_RESOLVE_NO_SYMLINKS = 0x04 };
enum { K_RESOLVE_BENEATH = 0x08, K_RESOLVE_IN_ROOT = 0x10 };
struct k_open_how {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

static inline int k_openat2(int folder, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct k_open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
  long result;
  /* EAGAIN: something was renamed while `..` was being resolved; the kernel asks to try again. */
  for (int tries = 0; tries < 32; tries++) {
    result = syscall(437, folder, path, &how, sizeof how);
    if (result >= 0 || errno != EAGAIN) break;
  }
  return result < 0 ? -errno : (int)result;
}

/* clone3(2) */
#define K_CLONE_NEWTIME 0x00000080u
#define K_CLONE_PIDFD 0x00001000u
#define K_CLONE_INTO_CGROUP 0x200000000ull
#define K_CLONE_CLEAR_SIGHAND 0x100000000ull
struct k_clone_args {
  uint64_t flags;
  uint64_t pidfd;
  uint64_t child_tid;
  uint64_t parent_tid;
  uint64_t exit_signal;
  uint64_t stack;
  uint64_t stack_size;
  uint64_t tls;
  uint64_t set_tid;
  uint64_t set_tid_size;
  uint64_t cgroup;
};

static inline int k_clone3(struct k_clone_args *args) { RESULT(syscall(435, args, sizeof *args)); }
static inline int k_close_range(unsigned first, unsigned last, unsigned flags) {
  RESULT(syscall(436, first, last, flags));
}
enum { K_CLOSE_RANGE_CLOEXEC = 4 };
static inline int k_pidfd_open(pid_t pid) { RESULT(syscall(434, pid, 0)); }
static inline int k_pidfd_send_signal(int pidfd, int signal) { RESULT(syscall(424, pidfd, signal, NULL, 0)); }

/* The mount calls */
enum { K_OPEN_TREE_CLONE = 1, K_OPEN_TREE_CLOEXEC = 02000000, K_AT_RECURSIVE = 0x8000, K_AT_EMPTY_PATH = 0x1000 };
enum { K_MOVE_MOUNT_F_EMPTY_PATH = 0x04, K_MOVE_MOUNT_T_EMPTY_PATH = 0x40 };
enum { K_FSOPEN_CLOEXEC = 1, K_FSMOUNT_CLOEXEC = 1 };
enum { K_FSCONFIG_SET_FLAG = 0, K_FSCONFIG_SET_STRING = 1, K_FSCONFIG_CMD_CREATE = 6 };
enum { K_MOUNT_ATTR_RDONLY = 1, K_MOUNT_ATTR_NOSUID = 2, K_MOUNT_ATTR_NODEV = 4, K_MOUNT_ATTR_NOEXEC = 8 };
struct k_mount_attr {
  uint64_t set;
  uint64_t clear;
  uint64_t propagation;
  uint64_t userns_fd;
};

static inline int k_open_tree(int folder, const char *path, unsigned flags) {
  RESULT(syscall(428, folder, path, flags));
}
static inline int k_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags) {
  RESULT(syscall(429, from, from_path, to, to_path, flags));
}
static inline int k_fsopen(const char *fstype) { RESULT(syscall(430, fstype, K_FSOPEN_CLOEXEC)); }
static inline int k_fsconfig(int context, unsigned command, const char *key, const char *value) {
  RESULT(syscall(431, context, command, key, value, 0));
}
static inline int k_fsmount(int context, unsigned attributes) {
  RESULT(syscall(432, context, K_FSMOUNT_CLOEXEC, attributes));
}
static inline int k_mount_setattr(int folder, const char *path, unsigned flags, const struct k_mount_attr *attr) {
  RESULT(syscall(442, folder, path, flags, attr, sizeof *attr));
}
static inline int k_pivot_root(const char *new_root, const char *put_old) {
  RESULT(syscall(SYS_pivot_root, new_root, put_old));
}

/* f_type of statfs(2) */
enum { K_PROC_SUPER_MAGIC = 0x9fa0, K_DEVPTS_SUPER_MAGIC = 0x1cd1 };

/* prctl(2), capset(2), seccomp(2) */
enum { K_PR_SET_PDEATHSIG = 1, K_PR_SET_DUMPABLE = 4, K_PR_SET_KEEPCAPS = 8, K_PR_SET_NAME = 15 };
enum { K_PR_CAPBSET_DROP = 24, K_PR_SET_NO_NEW_PRIVS = 38, K_PR_CAP_AMBIENT = 47 };
enum { K_PR_CAP_AMBIENT_RAISE = 2, K_PR_CAP_AMBIENT_CLEAR_ALL = 4 };
struct k_cap_header {
  uint32_t version;
  int pid;
};
struct k_cap_data {
  uint32_t effective;
  uint32_t permitted;
  uint32_t inheritable;
};
enum { K_CAPABILITY_VERSION_3 = 0x20080522 };
static inline int k_capset(const struct k_cap_data data[2]) {
  struct k_cap_header header = {.version = K_CAPABILITY_VERSION_3};
  RESULT(syscall(SYS_capset, &header, data));
}

static inline int k_capget(struct k_cap_data data[2]) {
  struct k_cap_header header = {.version = K_CAPABILITY_VERSION_3};
  RESULT(syscall(SYS_capget, &header, data));
}

struct k_sock_fprog {
  uint16_t length;
  const void *filter;
};
enum { K_SECCOMP_SET_MODE_FILTER = 1, K_SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4 };
static inline int k_seccomp(unsigned operation, unsigned flags, const void *argument) {
  RESULT(syscall(SYS_seccomp, operation, flags, argument));
}
static inline int k_keyctl(int operation, const char *name) { RESULT(syscall(SYS_keyctl, operation, name, 0, 0, 0)); }
enum { K_KEYCTL_JOIN_SESSION_KEYRING = 1 };

#endif
