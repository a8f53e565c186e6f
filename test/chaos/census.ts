import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDaemon } from '../stand-ins/daemon.ts';

/** All that a daemon may leave on a machine, counted from outside. Equal before and after: nothing leaked. */
export interface Census {
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly cgroups: readonly string[];
  /** Command lines of processes that name the exec-root or stand in our cgroups, the daemon aside. */
  readonly processes: readonly string[];
  /** Every name in the data root, to the depth at which a container or a layer begins, with what random digits hide. */
  readonly files: readonly string[];
  readonly execRoot: readonly string[];
  /** The daemon's descriptors by kind, those of Node's own machinery aside. */
  readonly descriptors: readonly string[];
}

export async function census(daemon: TestDaemon): Promise<Census> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return {
    mounts: mounts.filter((line) => line.includes(daemon.folder)),
    links: (await names('/sys/class/net')).filter((name) => /^(veth|gt)/.test(name)),
    cgroups: await groups(daemon.cgroupParent),
    processes: await processes(daemon),
    files: await files(daemon.dataRoot),
    execRoot: [...(await names(join(daemon.execRoot, 'c'))), ...(await names(join(daemon.execRoot, 'e')))],
    descriptors: await descriptors(daemon.pid),
  };
}

/**
 * What to compare with later, of a daemon under which nothing runs: a restart takes away behind its first answer what the
 * run before had left.
 */
export async function censusAtRest(daemon: TestDaemon): Promise<Census> {
  const isAtRest = ({ cgroups, processes, execRoot, files }: Census) =>
    cgroups.length + processes.length + execRoot.length === 0 && !files.some((name) => name.includes('/.removing-'));
  let now = await census(daemon);
  for (let tries = 0; tries < 50 && !isAtRest(now); tries++) {
    await sleep(200);
    now = await census(daemon);
  }
  if (!isAtRest(now)) throw new Error(`no rest: ${JSON.stringify(now)}`);
  return now;
}

/** Teardown goes on behind the answer: the census is taken until it stands as `before`, for ten seconds at most. */
export async function settledCensus(daemon: TestDaemon, before: Census): Promise<Census> {
  const expected = JSON.stringify(before);
  let now = await census(daemon);
  for (let tries = 0; tries < 50 && JSON.stringify(now) !== expected; tries++) {
    await sleep(200);
    now = await census(daemon);
  }
  return now;
}

const names = async (folder: string): Promise<string[]> => (await readdir(folder).catch(() => [])).sort();

/** Groups below our parent, in every hierarchy. */
async function groups(parent: string): Promise<string[]> {
  const found: string[] = [];
  for (const root of ['', ...(await names('/sys/fs/cgroup'))]) {
    const folder = join('/sys/fs/cgroup', root, parent);
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) found.push(join(root, entry.name));
    }
  }
  return found.sort();
}

async function processes({ execRoot, cgroupParent, pid }: TestDaemon): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await names('/proc')) {
    if (!/^\d+$/.test(entry) || [pid, process.pid].includes(Number(entry))) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const group = await readFile(`/proc/${entry}/cgroup`, 'utf8').catch(() => '');
    if (command.includes(execRoot) || group.includes(`${cgroupParent}/`)) found.push(command.replaceAll('\0', ' '));
  }
  return found.sort();
}

/** Folders whose entries are somebody's own: a container's, a layer's, a volume's. */
const OPAQUE = /^(containers|overlay2|vfs|volumes)\/[^/]+$/;

async function files(root: string, below = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true }).catch(() => [])) {
    const path = join(below, entry.name);
    found.push(path);
    if (entry.isDirectory() && !OPAQUE.test(path)) found.push(...(await files(root, path)));
  }
  return found.sort();
}

/** What the daemon's descriptors are: connections of clients come and go, and so do threads with loops of their own. */
async function descriptors(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.all((await names(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')));
  return targets
    .filter(
      (target) => target !== '' && !/^(socket|pipe|anon_inode:\[event(fd|poll)\]|anon_inode:\[io_uring\])/.test(target),
    )
    .map((target) => target.replace(/:\[\d+\]/, ''))
    .sort();
}
