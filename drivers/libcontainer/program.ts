/**
 * A kernel program: what makes a container, as data. An ordered list of operations, each one kernel primitive with plain
 * arguments and the name of who asked for it. TypeScript composes and encodes it; the C interpreter runs it with no
 * round trip to Node in between, and reports errno and nanoseconds operation by operation.
 *
 * Three places run operations, told apart by position:
 *
 *   before `clone`   the monitor, in the host's namespaces (cgroups, detached mounts, open files)
 *   after `clone`    the container's first process, in its new namespaces, up to `execve`
 *   no `clone`       the daemon itself, on a pool thread (`native.runProgram`), or `gantry-init exec`, which forks first
 *
 * Slots are the program's registers: small numbers that name open file descriptors. A slot is closed on execve.
 * "Beneath" means: resolved by openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS below the folder in a slot.
 *
 * This table is the one source: types here, `native/build/operations.h` (codes, structs, decoders) is generated from it.
 */
export type FieldType = 'u32' | 'i32' | 'u64' | 'string' | 'bytes' | 'strings';

interface OperationSchema {
  readonly code: number;
  readonly fields: { readonly [name: string]: FieldType };
}

/** Slots with a fixed meaning. The rest are the composer's. */
export const SLOT = { none: 0xffff_ffff, rootfs: 0, proc: 1, pidfd: 2, firstFree: 8, count: 256 } as const;

/** Bits of a `flags` field that every operation with one understands. */
export const FLAG = {
  /** A failure is told as a warning and the program goes on. */
  mayFail: 1,
  /** What is not there is left alone, without a word (ENOENT, ENOTDIR). */
  missingOk: 2,
  /** Make the mount point: a folder, or an empty file. */
  createDir: 4,
  createFile: 8,
  recursive: 16,
  readonly: 32,
} as const;

export const OPERATIONS = {
  // ——— files of the host, by path: cgroups, exec-root
  /** mkdir(2); a folder that is there already is fine. */
  mkdir: { code: 1, fields: { path: 'string', mode: 'u32', flags: 'u32' } },
  /** open(2) for writing, one write(2) of all data, close(2). */
  write: { code: 3, fields: { path: 'string', data: 'string', flags: 'u32' } },
  /** open(2) with raw `openFlags`, O_CLOEXEC added, into a slot. */
  open: { code: 4, fields: { slot: 'u32', path: 'string', openFlags: 'u32', flags: 'u32' } },
  /** unlink(2), and below rmdir(2): what a container's end leaves in cgroups and exec-root. */
  unlink: { code: 5, fields: { path: 'string', flags: 'u32' } },
  rmdir: { code: 6, fields: { path: 'string', flags: 'u32' } },
  /** Attaches an eBPF program (an array of struct bpf_insn) that says which devices may be used, to the v2 cgroup in a slot
   *  (open for reading). */
  device_filter: { code: 7, fields: { slot: 'u32', program: 'bytes' } },
  /** Gives the children of the v2 cgroup `path` those `controllers` that they do not have yet, one after the other: a
   *  write to cgroup.subtree_control waits for every cgroup below that is still on its way out, also when it changes nothing. */
  enable_controllers: { code: 8, fields: { path: 'string', controllers: 'strings', flags: 'u32' } },

  // ——— namespaces
  /** clone3(2): what follows runs in the child. `namespaces` are CLONE_NEW* bits; `cgroupSlot` for CLONE_INTO_CGROUP. */
  clone: { code: 10, fields: { namespaces: 'u32', cgroupSlot: 'u32' } },
  unshare: { code: 11, fields: { namespaces: 'u32' } },
  /** setns(2) with the namespace file or pidfd in a slot. Where that or `unshare` changes the pid namespace of a child, the
   *  child forks once more to be in it. */
  setns: { code: 12, fields: { slot: 'u32', namespaces: 'u32' } },
  sethostname: { code: 13, fields: { name: 'string' } },
  setdomainname: { code: 14, fields: { name: 'string' } },
  /** Sends netlink messages (one or more, already encoded) and waits for every ack. `protocol` as NETLINK_ROUTE. */
  netlink: { code: 15, fields: { protocol: 'u32', messages: 'bytes', flags: 'u32' } },

  // ——— mounts
  /** mount(2) that only changes propagation, for a path of the present mount namespace. */
  propagation: { code: 20, fields: { path: 'string', mountFlags: 'u64' } },
  /** Overlay of `lowers` (nearest first) and upper/work ('' for read-only) mounted on host path `target` and opened in
   *  `slot`; paths relative to `base`, which is entered for the while. */
  overlay: {
    code: 21,
    fields: {
      base: 'string',
      lowers: 'strings',
      upper: 'string',
      work: 'string',
      options: 'strings',
      target: 'string',
      slot: 'u32',
    },
  },
  /** open_tree(2) with OPEN_TREE_CLONE of a host path into a slot: a detached copy, for `attach_beneath`. */
  clone_tree: { code: 22, fields: { slot: 'u32', path: 'string', flags: 'u32' } },
  /** mount_setattr(2) on the mount in a slot. */
  mount_setattr: { code: 23, fields: { slot: 'u32', set: 'u64', clear: 'u64', propagation: 'u64', flags: 'u32' } },
  /** move_mount(2) of the detached mount in a slot onto host path `target`. */
  attach: { code: 24, fields: { slot: 'u32', target: 'string' } },
  /** move_mount(2) of the detached mount in `slot` beneath `root`. With both create flags a mount point that is missing is
   *  made as the mount is: a folder or a file. */
  attach_beneath: { code: 25, fields: { slot: 'u32', root: 'u32', target: 'string', flags: 'u32' } },
  /** fsopen(2), fsconfig(2) with each of `options` (`key=value` or `key`), fsmount(2) with MOUNT_ATTR_* `attributes`,
   *  move_mount(2) beneath `root`. A mount of fstype `proc` stays open in SLOT.proc. */
  mount_beneath: {
    code: 26,
    fields: {
      root: 'u32',
      fstype: 'string',
      source: 'string',
      target: 'string',
      attributes: 'u64',
      options: 'strings',
      propagation: 'u64',
      flags: 'u32',
    },
  },
  /** Binds `source` on `target`, both beneath `root`; FLAG.readonly and FLAG.recursive as usual. */
  bind_beneath: { code: 27, fields: { root: 'u32', source: 'string', target: 'string', flags: 'u32' } },
  /** Hides a path: a file by /dev/null, a folder by an empty read-only tmpfs. */
  mask_beneath: { code: 28, fields: { root: 'u32', path: 'string' } },
  /** Opens beneath `root` into a slot. */
  open_beneath: { code: 29, fields: { slot: 'u32', root: 'u32', path: 'string', openFlags: 'u32', flags: 'u32' } },
  mknod_beneath: {
    code: 31,
    fields: {
      root: 'u32',
      path: 'string',
      mode: 'u32',
      major: 'u32',
      minor: 'u32',
      uid: 'u32',
      gid: 'u32',
      flags: 'u32',
    },
  },
  /** What is there already under that name is left alone. */
  symlink_beneath: { code: 32, fields: { root: 'u32', path: 'string', target: 'string', flags: 'u32' } },
  /** Creates or truncates a file and writes it. */
  write_beneath: { code: 33, fields: { root: 'u32', path: 'string', data: 'string', mode: 'u32', flags: 'u32' } },
  /** Copies the tree at `path` beneath `root` (owner, mode, times, xattrs) into the folder in `slot`, if that is empty. */
  copy_up: { code: 34, fields: { root: 'u32', path: 'string', slot: 'u32' } },
  /** pivot_root(2) onto the mount in a slot, and away with the old root. */
  pivot_root: { code: 35, fields: { slot: 'u32' } },
  /** Remounts what is now `/` read-only, or with other attributes. */
  remount_root: { code: 36, fields: { attributes: 'u64', propagation: 'u64' } },

  // ——— the process
  setsid: { code: 40, fields: {} },
  /** A pty in the container's own devpts (`root` slot): the master goes to the monitor, the slave becomes stdio, the
   *  controlling terminal and, in a program with `clone`, /dev/console. */
  console: { code: 41, fields: { root: 'u32', height: 'u32', width: 'u32' } },
  /** prlimit(2); limits as RLIM_INFINITY = 2^64-1. */
  rlimit: { code: 42, fields: { resource: 'u32', soft: 'u64', hard: 'u64', flags: 'u32' } },
  oom_score_adj: { code: 43, fields: { value: 'i32', flags: 'u32' } },
  /** Joins a new session keyring of that name. */
  keyring: { code: 44, fields: { name: 'string', flags: 'u32' } },
  umask: { code: 45, fields: { mask: 'u32' } },
  /** Looks `user[:group]` and `groups` up in etc/passwd and etc/group beneath `root`, for `credentials`; sets HOME for
   *  `execve` when env has none. '' is uid 0. */
  lookup_user: { code: 46, fields: { root: 'u32', user: 'string', groups: 'strings', gids: 'strings' } },
  /** Takes on the user found, and the capability sets (bit n = capability n), as far as the engine
   *  has them itself. A user that is not 0 keeps only ambient. */
  credentials: {
    code: 47,
    fields: { bounding: 'u64', permitted: 'u64', effective: 'u64', inheritable: 'u64', ambient: 'u64', flags: 'u32' },
  },
  no_new_privs: { code: 48, fields: {} },
  /** seccomp(2) SECCOMP_SET_MODE_FILTER with an array of struct sock_filter. */
  seccomp: { code: 49, fields: { filter: 'bytes' } },
  /** chdir(2), checked to be inside the root. FLAG.createDir makes it (mode 0755, root) where it is missing. */
  chdir: { code: 50, fields: { path: 'string', flags: 'u32' } },
  /** Stands as pid 1 before the program: reaps, forwards signals, ends as the program ends (`--init`). */
  init: { code: 51, fields: {} },
  /** Ends the program: all other descriptors closed on exec, argv[0] searched in env's PATH as a shell does. */
  execve: { code: 52, fields: { argv: 'strings', env: 'strings' } },
} as const satisfies { readonly [op: string]: OperationSchema };

interface FieldValue {
  u32: number;
  i32: number;
  u64: bigint;
  string: string;
  bytes: Uint8Array;
  strings: readonly string[];
}
export type OperationName = keyof typeof OPERATIONS;
type FieldsOf<Name extends OperationName> = (typeof OPERATIONS)[Name]['fields'];
type ArgsOf<Name extends OperationName> = {
  readonly [F in keyof FieldsOf<Name>]: FieldsOf<Name>[F] extends FieldType ? FieldValue[FieldsOf<Name>[F]] : never;
};

/** Who asked: `exec`, `graph/overlay2`, `network/none`, … */
export type Owner = string;
export type Operation = {
  [Name in OperationName]: { readonly op: Name; readonly owner: Owner } & ArgsOf<Name>;
}[OperationName];
