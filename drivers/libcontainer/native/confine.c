#include "confine.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel.h"

/* capabilities(7) */
enum { CHOWN = 0, DAC_OVERRIDE = 1, DAC_READ_SEARCH = 2, FOWNER = 3, FSETID = 4, SYS_ADMIN = 21, MKNOD = 27, SETFCAP = 31 };
#define BIT(capability) (UINT64_C(1) << (capability))

/* To give files any owner, mode and device number; CAP_SYS_ADMIN is what trusted.* xattrs ask for, overlayfs' own signs. */
static const uint64_t kept = BIT(CHOWN) | BIT(DAC_OVERRIDE) | BIT(DAC_READ_SEARCH) | BIT(FOWNER) | BIT(FSETID) |
                             BIT(MKNOD) | BIT(SETFCAP) | BIT(SYS_ADMIN);

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

int confine(bool with_namespaces) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) return -errno;
  if (with_namespaces && unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC)) return -errno;
  if (with_namespaces && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return -errno;
  int error = limits();
  return error ? error : reduce_capabilities();
}
