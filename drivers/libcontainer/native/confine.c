#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel.h"

/* capabilities(7) */
enum { CHOWN = 0, DAC_OVERRIDE = 1, FOWNER = 3, FSETID = 4, SYS_ADMIN = 21, MKNOD = 27, SETFCAP = 31 };
#define BIT(capability) (UINT64_C(1) << (capability))

/* To give files any owner, mode and device number; CAP_SYS_ADMIN is what trusted.* xattrs ask for, overlayfs' own signs. */
static const uint64_t kept =
    BIT(CHOWN) | BIT(DAC_OVERRIDE) | BIT(FOWNER) | BIT(FSETID) | BIT(MKNOD) | BIT(SETFCAP) | BIT(SYS_ADMIN);

static int limit(int resource, rlim_t most) {
  struct rlimit both;
  if (getrlimit(resource, &both)) return -errno;
  if (most < both.rlim_max) both.rlim_max = most;
  both.rlim_cur = both.rlim_max;
  return setrlimit(resource, &both) ? -errno : 0;
}

static int limits(void) {
#ifdef WITH_SANITIZERS
  const rlim_t memory = RLIM_INFINITY; /* their shadow takes terabytes of addresses */
#else
  const rlim_t memory = 1u << 30;
#endif
  int error = limit(RLIMIT_AS, memory);
  if (!error) error = limit(RLIMIT_CORE, 0);
  if (!error) error = limit(RLIMIT_NOFILE, 16384);
  return error;
}

static int reduce_capabilities(void) {
  const struct k_cap_data data[2] = {
      {.effective = (uint32_t)kept, .permitted = (uint32_t)kept},
      {.effective = (uint32_t)(kept >> 32), .permitted = (uint32_t)(kept >> 32)},
  };
  for (unsigned long capability = 0; capability < 64; capability++)
    if (!(kept & BIT(capability)) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) && errno != EINVAL) return -errno;
  return k_capset(data);
}

/* A mount of its own that ends with us: its root is the folder itself, so `..` leads nowhere, and no device in it can be
 * opened. Mounts below the folder are not part of it. */
static int enclose(int *folder, uint64_t more) {
  const struct k_mount_attr attributes = {
      .set = K_MOUNT_ATTR_NOSUID | K_MOUNT_ATTR_NODEV | K_MOUNT_ATTR_NOEXEC | more};
  int tree = k_open_tree(*folder, "", K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC | K_AT_EMPTY_PATH);
  if (tree < 0) return tree;
  int error = k_mount_setattr(tree, "", K_AT_EMPTY_PATH, &attributes);
  int inside = error ? -1 : openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!error && inside < 0) error = -errno;
  close(tree);
  close(*folder);
  *folder = inside;
  return error;
}

int confine(const struct confinement *confinement) {
  int error = enclose(confinement->writable, 0);
  if (!error && confinement->readable) error = enclose(confinement->readable, K_MOUNT_ATTR_RDONLY);
  if (error) return error;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) return -errno;
  if (confinement->without_network && unshare(CLONE_NEWNET | CLONE_NEWIPC)) return -errno;
  if (fchdir(*confinement->writable) || chroot(".")) return -errno;
  error = limits();
  if (!error) error = reduce_capabilities();
  return error ? error : filter_calls();
}
