/**
 * Mount options as mount(8) and the OCI spec write them (`nosuid`, `rbind`, `rslave`, `size=65536k`), taken apart into
 * what the kernel's newer mount calls want: attributes of the mount, its propagation, and the filesystem's own options.
 */

/** linux/mount.h, for mount_setattr(2) and fsmount(2). */
export const MOUNT_ATTR = {
  readonly: 0x1n,
  nosuid: 0x2n,
  nodev: 0x4n,
  noexec: 0x8n,
  noatime: 0x10n,
  strictatime: 0x20n,
  /** Not a bit but a field: what is set there replaces what was. */
  atimeField: 0x70n,
  nodiratime: 0x80n,
  nosymfollow: 0x20_0000n,
} as const;

/** mount(2). */
export const MS = {
  recursive: 1n << 14n,
  unbindable: 1n << 17n,
  private: 1n << 18n,
  slave: 1n << 19n,
  shared: 1n << 20n,
} as const;

export interface MountOptions {
  readonly bind: boolean;
  /** `rbind`: with all that is mounted below the source. */
  readonly recursiveBind: boolean;
  /** Attributes to set and to clear on the mount. */
  readonly set: bigint;
  readonly clear: bigint;
  /** Attributes for everything below too (`rro`). */
  readonly recursiveSet: bigint;
  /** One of MS.private, slave, shared, unbindable, or 0 where the options say nothing. */
  readonly propagation: bigint;
  readonly recursivePropagation: boolean;
  /** What only the filesystem understands. */
  readonly data: readonly string[];
}

/** Word → bits to set, or to clear. */
const SET: Readonly<Record<string, bigint>> = {
  ro: MOUNT_ATTR.readonly,
  nosuid: MOUNT_ATTR.nosuid,
  nodev: MOUNT_ATTR.nodev,
  noexec: MOUNT_ATTR.noexec,
  noatime: MOUNT_ATTR.noatime,
  strictatime: MOUNT_ATTR.strictatime,
  nodiratime: MOUNT_ATTR.nodiratime,
  nosymfollow: MOUNT_ATTR.nosymfollow,
};
const CLEAR: Readonly<Record<string, bigint>> = {
  rw: MOUNT_ATTR.readonly,
  suid: MOUNT_ATTR.nosuid,
  dev: MOUNT_ATTR.nodev,
  exec: MOUNT_ATTR.noexec,
  atime: MOUNT_ATTR.noatime,
  relatime: MOUNT_ATTR.atimeField,
  norelatime: 0n,
  nostrictatime: MOUNT_ATTR.strictatime,
  diratime: MOUNT_ATTR.nodiratime,
  symfollow: MOUNT_ATTR.nosymfollow,
};
const RECURSIVE_SET: Readonly<Record<string, bigint>> = {
  rro: MOUNT_ATTR.readonly,
  rnosuid: MOUNT_ATTR.nosuid,
  rnodev: MOUNT_ATTR.nodev,
  rnoexec: MOUNT_ATTR.noexec,
};
const PROPAGATION: Readonly<Record<string, bigint>> = {
  private: MS.private,
  slave: MS.slave,
  shared: MS.shared,
  unbindable: MS.unbindable,
};
/** Words that mean nothing here: the default, or what only another runtime does. */
const IDLE = new Set(['defaults', 'bind', 'rbind', 'tmpcopyup', 'z', 'Z']);

export function parseMountOptions(options: readonly string[]): MountOptions {
  let set = 0n;
  let clear = 0n;
  let recursiveSet = 0n;
  let propagation = 0n;
  let recursivePropagation = false;
  const data: string[] = [];
  for (const word of options) {
    const kind = word.startsWith('r') ? word.slice(1) : word;
    if (IDLE.has(word)) continue;
    else if (SET[word] !== undefined) set |= SET[word];
    else if (CLEAR[word] !== undefined) {
      clear |= CLEAR[word];
      set &= ~CLEAR[word];
    } else if (RECURSIVE_SET[word] !== undefined) recursiveSet |= RECURSIVE_SET[word];
    else if (PROPAGATION[kind] !== undefined) {
      propagation = PROPAGATION[kind];
      recursivePropagation = kind !== word;
    } else data.push(word);
  }
  if ((set & MOUNT_ATTR.atimeField) !== 0n) clear |= MOUNT_ATTR.atimeField;
  return {
    bind: options.includes('bind') || options.includes('rbind'),
    recursiveBind: options.includes('rbind'),
    set,
    clear: clear & ~(set & ~MOUNT_ATTR.atimeField),
    recursiveSet,
    propagation,
    recursivePropagation,
    data,
  };
}
