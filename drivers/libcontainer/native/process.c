/* Operations on the process itself. */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "beneath.h"
#include "perform.h"

int perform_setsid(struct interpreter *interpreter, const struct op_setsid *op) {
  (void)interpreter, (void)op;
  return setsid() < 0 ? -errno : 0;
}

int perform_rlimit(struct interpreter *interpreter, const struct op_rlimit *op) {
  (void)interpreter;
  const uint64_t limit[2] = {op->soft, op->hard};
  return result_of(syscall(SYS_prlimit64, 0, op->resource, limit, NULL));
}

/* A procfs of our own, which nobody can have mounted anything over. */
static int fresh_proc(void) {
  const int context = k_fsopen("proc");
  if (context < 0) return context;
  int fd = k_fsconfig(context, K_FSCONFIG_CMD_CREATE, NULL, NULL);
  if (fd == 0) fd = k_fsmount(context, K_MOUNT_ATTR_NOSUID | K_MOUNT_ATTR_NODEV | K_MOUNT_ATTR_NOEXEC);
  close(context);
  return fd;
}

int perform_oom_score_adj(struct interpreter *interpreter, const struct op_oom_score_adj *op) {
  char text[16];
  const int kept = slot_get(interpreter, SLOT_PROC);
  const int proc = kept >= 0 ? kept : fresh_proc();
  if (proc < 0) return proc;
  const int length = snprintf(text, sizeof text, "%d", op->value);
  const int fd = open_in_proc(proc, "self/oom_score_adj", O_WRONLY);
  const int error = fd < 0 ? fd : write_once(fd, text, (size_t)length);
  close_quietly(fd);
  if (proc != kept) close(proc);
  return error;
}

int perform_keyring(struct interpreter *interpreter, const struct op_keyring *op) {
  (void)interpreter;
  const int serial = k_keyctl(K_KEYCTL_JOIN_SESSION_KEYRING, op->name);
  return serial < 0 ? serial : 0;
}

int perform_umask(struct interpreter *interpreter, const struct op_umask *op) {
  umask(op->mask);
  interpreter->umask_set = true;
  return 0;
}

int perform_no_new_privs(struct interpreter *interpreter, const struct op_no_new_privs *op) {
  (void)interpreter, (void)op;
  return result_of(prctl(K_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int perform_seccomp(struct interpreter *interpreter, const struct op_seccomp *op) {
  (void)interpreter;
  enum { INSTRUCTION_BYTES = 8, MAX_INSTRUCTIONS = 4096 };
  const uint32_t count = op->filter.length / INSTRUCTION_BYTES;
  if (op->filter.length % INSTRUCTION_BYTES != 0 || count == 0 || count > MAX_INSTRUCTIONS) return -EINVAL;
  const struct k_sock_fprog program = {.length = (uint16_t)count, .filter = op->filter.data};
  const int error = k_seccomp(K_SECCOMP_SET_MODE_FILTER, K_SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
  return error == -EINVAL ? k_seccomp(K_SECCOMP_SET_MODE_FILTER, 0, &program) : error;
}

int perform_chdir(struct interpreter *interpreter, const struct op_chdir *op) {
  (void)interpreter;
  char where[4096];
  const int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return -errno;
  const int fd = op->flags & FLAG_CREATE_DIR ? make_folders_beneath(root, op->path)
                                             : open_beneath(root, op->path, O_PATH | O_DIRECTORY, 0);
  close(root);
  if (fd < 0) return fd;
  int error = result_of(fchdir(fd));
  close(fd);
  /* getcwd fails, or answers "(unreachable)…", for a folder outside of the root. */
  if (!error && (!getcwd(where, sizeof where) || where[0] != '/')) error = -EXDEV;
  return error;
}

/* ——— credentials */

/* The program may open /dev/stderr anew, so its stdio belongs to its user; /dev/null and other shared nodes do not. */
static void give_stdio(const struct user *user) {
  for (int fd = 0; fd <= 2; fd++) {
    struct stat stat;
    if (fstat(fd, &stat) < 0 || stat.st_uid == user->uid) continue;
    const bool is_shared_node = S_ISCHR(stat.st_mode) && stat.st_rdev == makedev(1, 3);
    if (!is_shared_node && fchown(fd, user->uid, stat.st_gid) < 0) continue;
  }
}

static int drop_bounding(uint64_t kept) {
  for (int capability = 0; capability < 64; capability++) {
    if (kept >> capability & 1) continue;
    if (prctl(K_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    /* EINVAL: the kernel knows no capability of this number. */
    return errno == EINVAL ? 0 : -errno;
  }
  return 0;
}

static int become(const struct user *user) {
  int error = result_of(prctl(K_PR_SET_KEEPCAPS, 1, 0, 0, 0));
  if (!error) error = result_of(setgroups(user->group_count, user->groups));
  if (!error) error = result_of(setresgid(user->gid, user->gid, user->gid));
  if (!error) error = result_of(setresuid(user->uid, user->uid, user->uid));
  if (!error) error = result_of(prctl(K_PR_SET_KEEPCAPS, 0, 0, 0, 0));
  return error;
}

/* Never more than we have ourselves: an engine in a container has not all that `--privileged` asks for. */
static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
  struct k_cap_data ours[2];
  int error = k_capget(ours);
  if (error) return error;
  const uint64_t most = (uint64_t)ours[1].permitted << 32 | ours[0].permitted;
  effective &= most;
  permitted &= most;
  inheritable &= most;
  const struct k_cap_data data[2] = {
      {.effective = (uint32_t)effective, .permitted = (uint32_t)permitted, .inheritable = (uint32_t)inheritable},
      {.effective = (uint32_t)(effective >> 32),
       .permitted = (uint32_t)(permitted >> 32),
       .inheritable = (uint32_t)(inheritable >> 32)},
  };
  return k_capset(data);
}

static int set_ambient(uint64_t ambient) {
  if (prctl(K_PR_CAP_AMBIENT, K_PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -errno;
  for (int capability = 0; capability < 64; capability++)
    if (ambient >> capability & 1 && prctl(K_PR_CAP_AMBIENT, K_PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) return -errno;
  return 0;
}

int perform_credentials(struct interpreter *interpreter, const struct op_credentials *op) {
  static const uint32_t root_group[] = {0};
  struct user root = {.known = true, .groups = (uint32_t *)root_group, .group_count = 1};
  const struct user *user = interpreter->user.known ? &interpreter->user : &root;
  uint64_t effective = op->effective, permitted = op->permitted;
  if (user->uid != 0) effective = permitted = op->ambient;
  give_stdio(user);
  int error = drop_bounding(op->bounding);
  if (!error) error = become(user);
  if (!error) error = set_capabilities(effective, permitted, op->inheritable);
  if (!error) error = set_ambient(op->ambient);
  /* A change of user makes a process dumpable or not as the system likes; ours never is before execve. */
  if (!error) error = result_of(prctl(K_PR_SET_DUMPABLE, 0, 0, 0, 0));
  return error;
}
