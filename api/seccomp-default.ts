/**
 * The profile of every container that names no other: what programs of all kinds use is allowed, what reaches past the
 * container or is only there for the machine's administration is not (docs.docker.com, "Seccomp security profiles for
 * Docker"). A call that no line names fails with EPERM, so one that a later kernel brings is closed until it is known.
 *
 * Not here for anyone, on purpose: add_key keyctl request_key (keyrings are not namespaced), io_uring_* (passes by
 * the filter), userfaultfd (helps exploits to win races), kexec_*, swapon, swapoff, nfsservctl, pivot_root, vm86,
 * move_pages, and what the kernel itself has given up.
 */
import type { SeccompProfile } from './seccomp-profile.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Everyone, everywhere. Names that an architecture does not have are passed over. */
const ALLOWED = {
  'files: open, read, write, close': `
    open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2
    lseek _llseek dup dup2 dup3 fcntl fcntl64 ioctl sendfile sendfile64 splice tee vmsplice copy_file_range pipe pipe2
    flock fsync fdatasync sync syncfs sync_file_range truncate truncate64 ftruncate
    ftruncate64 fallocate fadvise64 fadvise64_64 readahead memfd_create memfd_secret`,
  'files: names and folders': `
    access faccessat faccessat2 chdir fchdir getcwd mkdir mkdirat rmdir rename renameat renameat2 link linkat symlink
    symlinkat readlink readlinkat unlink unlinkat mknod mknodat getdents getdents64 umask name_to_handle_at`,
  'files: attributes': `
    stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 chmod fchmod
    fchmodat fchmodat2 chown chown32 lchown lchown32 fchown fchown32 fchownat utime utimes utimensat utimensat_time64
    futimesat getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat setxattr lsetxattr
    fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat`,
  'waiting for files': `
    select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
    epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime
    timerfd_settime64 timerfd_gettime timerfd_gettime64 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
    fanotify_mark io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`,
  memory: `
    brk mmap mmap2 munmap mremap remap_file_pages mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall
    membarrier mseal cachestat map_shadow_stack pkey_alloc pkey_free pkey_mprotect process_mrelease`,
  processes: `
    fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp setpgid getsid
    setsid prctl set_tid_address set_robust_list get_robust_list set_thread_area get_thread_area rseq pidfd_open
    pidfd_send_signal getcpu getrusage getrlimit ugetrlimit setrlimit prlimit64 times uname sysinfo getrandom seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self uretprobe restart_syscall`,
  'who a process is': `
    getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getgroups getgroups32 getresuid getresuid32
    getresgid getresgid32 setuid setuid32 setgid setgid32 setgroups setgroups32 setreuid setreuid32 setregid setregid32
    setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 capget capset`,
  scheduling: `
    getpriority setpriority ioprio_get ioprio_set sched_yield sched_getaffinity sched_setaffinity sched_getattr
    sched_setattr sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max
    sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64`,
  signals: `
    kill tkill tgkill pause alarm rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn`,
  time: `
    time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep
    clock_nanosleep_time64 nanosleep clock_adjtime clock_adjtime64 adjtimex getitimer setitimer timer_create timer_delete
    timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64`,
  locks: `
    futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue`,
  sockets: `
    socketpair socketcall bind connect listen accept accept4 shutdown getsockname getpeername getsockopt setsockopt send
    sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64`,
  'System V and POSIX IPC': `
    ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget mq_open
    mq_unlink mq_getsetattr mq_notify mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64`,
} as const;

/** Address families that `socket` may not open: the kernel's crypto interface, and the host of a virtual machine. */
const AF_ALG = 38;
const AF_VSOCK = 40;

/** personality(2): Linux, BSD, and either without address randomisation's short-cuts; and the question what it is. */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** CLONE_NEW* of clone(2), all that make a namespace. */
const NAMESPACE_FLAGS = 0x7e02_0000;
const ENOSYS = 38;

const BY_CAPABILITY: Readonly<Record<string, string>> = {
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_SYS_ADMIN: `
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr mount mount_setattr move_mount open_tree open_tree_attr perf_event_open quotactl quotactl_fd
    setdomainname sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module init_module finit_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'iopl ioperm',
  CAP_SYS_TIME: 'settimeofday stime clock_settime clock_settime64',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYSLOG: 'syslog',
  CAP_BPF: 'bpf',
  CAP_PERFMON: 'perf_event_open',
};

const BY_ARCHITECTURE: Readonly<Record<string, string>> = {
  amd64: 'arch_prctl modify_ldt',
  arm64: 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls',
};

type Rule = SeccompProfile['syscalls'][number];
const ALWAYS: Rule['includes'] = { arches: [], caps: [], minKernel: '' };

function allow(names: readonly string[], more: Partial<Rule> = {}): Rule {
  return {
    names: [...names],
    name: '',
    action: 'SCMP_ACT_ALLOW',
    errnoRet: null,
    args: [],
    includes: ALWAYS,
    excludes: ALWAYS,
    ...more,
  };
}

const argument = (index: number, op: string, value: number, valueTwo = 0) => ({ index, op, value, valueTwo });

export const DEFAULT_SECCOMP_PROFILE: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: null,
  architectures: [],
  archMap: [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
  ],
  syscalls: [
    allow(Object.values(ALLOWED).flatMap(words)),
    // Before 4.8 a tracer could change a call after the filter had looked at it.
    allow(['ptrace', 'process_vm_readv', 'process_vm_writev'], { includes: { ...ALWAYS, minKernel: '4.8' } }),
    allow(['socket'], { args: [argument(0, 'SCMP_CMP_LT', AF_ALG)] }),
    allow(['socket'], { args: [argument(0, 'SCMP_CMP_EQ', AF_ALG + 1)] }),
    allow(['socket'], { args: [argument(0, 'SCMP_CMP_GT', AF_VSOCK)] }),
    ...PERSONALITIES.map((value) => allow(['personality'], { args: [argument(0, 'SCMP_CMP_EQ', value)] })),
    ...Object.entries(BY_ARCHITECTURE).map(([arch, names]) =>
      allow(words(names), { includes: { ...ALWAYS, arches: [arch] } }),
    ),
    ...Object.entries(BY_CAPABILITY).map(([name, names]) =>
      allow(words(names), { includes: { ...ALWAYS, caps: [name] } }),
    ),
    allow(['clone'], {
      args: [argument(0, 'SCMP_CMP_MASKED_EQ', NAMESPACE_FLAGS, 0)],
      excludes: { ...ALWAYS, caps: ['CAP_SYS_ADMIN'] },
    }),
    // A filter cannot look into clone3's structure: say that there is no such call, and libc uses clone.
    allow(['clone3'], {
      action: 'SCMP_ACT_ERRNO',
      errnoRet: ENOSYS,
      excludes: { ...ALWAYS, caps: ['CAP_SYS_ADMIN'] },
    }),
  ],
};
