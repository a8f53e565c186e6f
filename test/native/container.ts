/** A busybox container as a kernel program, small enough to know all of it: what the specs of gantry-init start. */
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeProgram } from '../../drivers/libcontainer/encode.ts';
import { FLAG, type Operation, SLOT } from '../../drivers/libcontainer/program.ts';

export const CLONE = {
  mount: 0x0002_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  pid: 0x2000_0000,
  network: 0x4000_0000,
} as const;
export const MS = { recursive: 16384n, private: 262144n } as const;
export const ATTRIBUTE = { readonly: 1n, nosuid: 2n, nodev: 4n, noexec: 8n } as const;
export const ALL_CAPABILITIES = (1n << 41n) - 1n;
const OWNER = 'test';

const APPLETS =
  'sh cat echo ls id sleep true false stty tty head mkdir dd yes seq env hostname mount kill wc ps readlink stat';

/** A folder with a root filesystem of busybox; `remove` is for `after`. */
export class Rootfs {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Rootfs> {
    const folder = await mkdtemp('/tmp/g-root-');
    await chmod(folder, 0o755);
    for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']) await mkdir(path.join(folder, name));
    await copyFile('/bin/busybox', path.join(folder, 'bin/busybox'), constants.COPYFILE_FICLONE);
    for (const applet of APPLETS.split(' ')) await symlink('busybox', path.join(folder, 'bin', applet));
    return new Rootfs(folder);
  }

  async write(file: string, text: string, mode = 0o644): Promise<void> {
    await writeFile(path.join(this.folder, file), text, { mode });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface ContainerOptions {
  readonly root: Rootfs;
  readonly argv: readonly string[];
  readonly env?: readonly string[];
  readonly tty?: boolean;
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly init?: boolean;
  readonly workdir?: string;
  readonly namespaces?: number;
  /** Between the mounts and pivot_root. */
  readonly beneath?: readonly Operation[];
  /** Before clone. */
  readonly before?: readonly Operation[];
  /** Just before execve. */
  readonly last?: readonly Operation[];
}

export function device(name: string, major: number, minor: number): Operation {
  const [mode, uid, gid] = [0o20666, 0, 0];
  return {
    op: 'mknod_beneath',
    owner: OWNER,
    root: SLOT.rootfs,
    path: `/dev/${name}`,
    mode,
    major,
    minor,
    uid,
    gid,
    flags: 0,
  };
}

export function filesystem(
  fstype: string,
  target: string,
  options: readonly string[] = [],
  attributes = 14n,
): Operation {
  const [root, source, propagation] = [SLOT.rootfs, fstype, 0n];
  return {
    op: 'mount_beneath',
    owner: OWNER,
    root,
    fstype,
    source,
    target,
    attributes,
    options,
    propagation,
    flags: FLAG.createDir,
  };
}

export function execve(argv: readonly string[], env: readonly string[] = ['PATH=/bin']): Operation {
  return { op: 'execve', owner: OWNER, argv, env };
}

/** The operations of a container, from `clone` to `execve`. */
export function container(options: ContainerOptions): Operation[] {
  const owner = OWNER;
  const all = CLONE.mount | CLONE.uts | CLONE.ipc | CLONE.pid | CLONE.network;
  const credentials = { bounding: ALL_CAPABILITIES, permitted: ALL_CAPABILITIES, effective: ALL_CAPABILITIES };
  return [
    ...(options.before ?? []),
    { op: 'clone', owner, namespaces: options.namespaces ?? all, cgroupSlot: SLOT.none },
    { op: 'setsid', owner },
    { op: 'propagation', owner, path: '/', mountFlags: MS.recursive | MS.private },
    { op: 'clone_tree', owner, slot: SLOT.rootfs, path: options.root.folder, flags: 0 },
    { op: 'attach', owner, slot: SLOT.rootfs, target: options.root.folder },
    filesystem('proc', '/proc'),
    filesystem('tmpfs', '/dev', ['mode=755'], ATTRIBUTE.nosuid),
    filesystem(
      'devpts',
      '/dev/pts',
      ['newinstance', 'ptmxmode=0666', 'mode=0620'],
      ATTRIBUTE.nosuid | ATTRIBUTE.noexec,
    ),
    device('null', 1, 3),
    device('zero', 1, 5),
    { op: 'symlink_beneath', owner, root: SLOT.rootfs, path: '/dev/ptmx', target: 'pts/ptmx', flags: 0 },
    ...(options.beneath ?? []),
    ...(options.tty ? [{ op: 'console', owner, root: SLOT.rootfs, height: 0, width: 0 } as const] : []),
    { op: 'sethostname', owner, name: 'inside' },
    { op: 'pivot_root', owner, slot: SLOT.rootfs },
    { op: 'lookup_user', owner, root: SLOT.rootfs, user: options.user ?? '', groups: options.groups ?? [], gids: [] },
    { op: 'chdir', owner, path: options.workdir ?? '/', flags: FLAG.createDir },
    ...(options.init ? [{ op: 'init', owner } as const] : []),
    { op: 'credentials', owner, ...credentials, inheritable: 0n, ambient: 0n, flags: 0 },
    ...(options.last ?? []),
    execve(options.argv, options.env),
  ];
}

export function containerProgram(options: ContainerOptions): Buffer {
  return encodeProgram(container(options));
}
