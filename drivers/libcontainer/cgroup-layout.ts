/**
 * How this machine has its cgroups mounted (cgroups(7)): v1 with one folder a controller, v2 with one tree, or v1 with a
 * v2 tree beside it that has no controllers of its own.
 */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';

export interface CgroupHierarchy {
  /** Controllers of this hierarchy, such as `cpu`, or `name=systemd`. */
  readonly controllers: readonly string[];
  /** Where it is mounted. */
  readonly path: string;
}

export interface CgroupLayout {
  /** v1 hierarchies, in the order they are mounted; empty on pure v2. */
  readonly v1: readonly CgroupHierarchy[];
  /** Where the v2 tree is mounted, or null. */
  readonly unified: string | null;
  /** Controllers that the v2 tree offers. */
  readonly v2Controllers: readonly string[];
  /** What the whole machine has; a new v1 cpuset has none, and takes no process until it has. */
  readonly cpuset: { readonly cpus: string; readonly mems: string };
}

export const isPureV2 = (layout: CgroupLayout): boolean => layout.v1.length === 0 && layout.unified !== null;

export function hierarchyOf(layout: CgroupLayout, controller: string): string | null {
  return layout.v1.find((hierarchy) => hierarchy.controllers.includes(controller))?.path ?? null;
}

/** Reads the layout of the running machine; done once, when the driver is made. */
export async function readCgroupLayout(): Promise<CgroupLayout> {
  const layout = parseCgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const cpuset = hierarchyOf(layout, 'cpuset') ?? '';
  return {
    ...layout,
    v2Controllers: layout.unified === null ? [] : words(await read(`${layout.unified}/cgroup.controllers`)),
    cpuset: { cpus: await read(`${cpuset}/cpuset.cpus`), mems: await read(`${cpuset}/cpuset.mems`) },
  };
}

/** Of several mounts of one hierarchy the first counts. */
export function parseCgroupMounts(mountinfo: string): CgroupLayout {
  const v1 = new Map<string, CgroupHierarchy>();
  let unified: string | null = null;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const path = before.split(' ')[4] ?? '';
    const [fstype = '', , superOptions = ''] = after.split(' ');
    if (fstype === 'cgroup2') unified ??= path;
    if (fstype !== 'cgroup') continue;
    const controllers = superOptions.split(',').filter(isController);
    const key = controllers.join(',');
    if (!v1.has(key)) v1.set(key, { controllers, path });
  }
  return { v1: [...v1.values()], unified, v2Controllers: [], cpuset: { cpus: '', mems: '' } };
}

const MOUNT_WORDS = new Set(['rw', 'ro', 'clone_children', 'noprefix', 'xattr', 'cpuset_v2_mode', 'favordynmods']);
const isController = (word: string): boolean => !MOUNT_WORDS.has(word) && !word.startsWith('release_agent=');

/** Folder names under which programs in a container look for a hierarchy: `cpu`, `systemd`. */
export function folderNames(hierarchy: CgroupHierarchy): {
  readonly folder: string;
  readonly links: readonly string[];
} {
  const folder = posix.basename(hierarchy.path);
  const links = hierarchy.controllers.filter((name) => name !== folder && !name.startsWith('name='));
  return { folder, links };
}

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
}
