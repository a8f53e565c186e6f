import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestDaemon } from '../stand-ins/daemon.ts';

/** All that a daemon may leave on a machine, counted from outside. Equal before and after: nothing leaked. */
export interface Census {
  readonly mounts: number;
  readonly links: readonly string[];
  readonly cgroups: readonly string[];
  readonly monitors: number;
  readonly descriptors: readonly string[];
  readonly layers: readonly string[];
  readonly containers: readonly string[];
  readonly execRoot: readonly string[];
  readonly uploads: readonly string[];
}

export async function census(daemon: TestDaemon): Promise<Census> {
  return {
    mounts: (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(daemon.folder))
      .length,
    links: (await names('/sys/class/net')).filter((name) => /^(veth|gt)/.test(name)),
    cgroups: await groups(daemon.cgroupParent),
    monitors: await monitors(daemon.execRoot),
    descriptors: await descriptors(daemon.pid),
    layers: (await Promise.all(['overlay2', 'vfs'].map((driver) => names(join(daemon.dataRoot, driver))))).flat(),
    containers: await names(join(daemon.dataRoot, 'containers')),
    execRoot: [...(await names(join(daemon.execRoot, 'c'))), ...(await names(join(daemon.execRoot, 'e')))],
    uploads: await names(join(daemon.dataRoot, 'tmp')),
  };
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

async function monitors(execRoot: string): Promise<number> {
  const commands = await Promise.all(
    (await names('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return commands.filter((command) => command.includes('gantry-init') && command.includes(execRoot)).length;
}

/** What the daemon's descriptors are, numbers of pipes and sockets aside; connections of clients come and go. */
async function descriptors(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.all((await names(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')));
  return targets
    .map((target) => target.replace(/\d+/g, 'N'))
    .filter((target) => target !== '')
    .sort();
}
