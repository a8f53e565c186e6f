/* seccomp(2) for a process that works on files. With CAP_SYS_ADMIN kept for its xattrs, it is this that keeps it from
 * mounting, from namespaces, from other processes and from the rest of the kernel. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "confine.h"
#include "kernel.h"

/* linux/filter.h, linux/seccomp.h, linux/audit.h: musl has none of them */
struct instruction {
  uint16_t code;
  uint8_t if_true, if_false;
  uint32_t value;
};
enum { LOAD_WORD = 0x20, JUMP_IF_EQUAL = 0x15, RETURN = 0x06 };
enum { OFFSET_NUMBER = 0, OFFSET_ARCHITECTURE = 4 };
#define ALLOW 0x7fff0000u
#define KILL_PROCESS 0x80000000u
#define FAIL_WITH_EPERM (0x00050000u | EPERM)
#if defined(WITH_SANITIZERS)
/* they need more calls than these, to report */
#elif defined(__x86_64__)
#define ARCHITECTURE 0xc000003eu
#elif defined(__aarch64__)
#define ARCHITECTURE 0xc00000b7u
#endif

#ifdef ARCHITECTURE
static const uint16_t allowed[] = {
    SYS_read, SYS_write, SYS_writev, SYS_close, SYS_lseek, SYS_fcntl, SYS_ioctl, SYS_openat, 437 /* openat2 */,
    SYS_fstat, SYS_newfstatat, SYS_statx, SYS_getdents64, SYS_readlinkat, SYS_copy_file_range,
    SYS_fchown, SYS_fchownat, SYS_fchmod, SYS_utimensat, SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat,
    SYS_unlinkat, SYS_renameat2, SYS_fsetxattr, SYS_fgetxattr, SYS_flistxattr, SYS_syncfs,
    SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_exit, SYS_exit_group,
};
enum { ALLOWED = sizeof allowed / sizeof *allowed, HEAD = 4 };

int filter_calls(void) {
  struct instruction program[HEAD + ALLOWED + 2] = {
      {LOAD_WORD, 0, 0, OFFSET_ARCHITECTURE},
      {JUMP_IF_EQUAL, 1, 0, ARCHITECTURE},
      {RETURN, 0, 0, KILL_PROCESS},
      {LOAD_WORD, 0, 0, OFFSET_NUMBER},
  };
  for (size_t i = 0; i < ALLOWED; i++)
    program[HEAD + i] = (struct instruction){JUMP_IF_EQUAL, (uint8_t)(ALLOWED - i), 0, allowed[i]};
  program[HEAD + ALLOWED] = (struct instruction){RETURN, 0, 0, FAIL_WITH_EPERM};
  program[HEAD + ALLOWED + 1] = (struct instruction){RETURN, 0, 0, ALLOW};
  const struct k_sock_fprog filter = {.length = HEAD + ALLOWED + 2, .filter = program};
  return k_seccomp(K_SECCOMP_SET_MODE_FILTER, 0, &filter);
}
#else
int filter_calls(void) { return 0; }
#endif
