/**
 * A container's cgroups: made and limited by the monitor before `clone`, joined by the container's first process itself.
 * (Moving another process costs milliseconds; a single thread that moves itself costs nothing: cgroup v1 by a "0" in
 * `tasks`, v2 by being born there.)
 */
import { InvalidParameter } from '../../api/errors.ts';
import type { OciResources } from '../../api/oci.ts';
import { type CgroupLayout, hierarchyOf, isPureV2 } from './cgroup-layout.ts';
import { limitsV1 } from './cgroup-v1.ts';
import { limitsV2 } from './cgroup-v2.ts';
import { deviceFilter } from './device-filter.ts';
import { DEFAULT_DEVICE_RULES } from './devices.ts';
import type { Slots } from './fragment.ts';
import { FLAG, type Operation, SLOT } from './program.ts';

const OWNER = 'exec/cgroup';
/** fcntl.h */
const O_DIRECTORY = 0o200000;

export interface CgroupPlan {
  readonly before: readonly Operation[];
  /** For `clone`: the v2 folder to be born in, or SLOT.none. */
  readonly slot: number;
  /** First thing after `clone`. */
  readonly join: readonly Operation[];
}

export function cgroupPlan(layout: CgroupLayout, path: string, resources: OciResources, slots: Slots): CgroupPlan {
  const before = [...foldersV1(layout, path), ...foldersV2(layout, path)];
  before.push(...(isPureV2(layout) ? limitsV2(layout, path, resources) : limitsV1(layout, path, resources)));
  if (layout.unified === null) return { before, slot: SLOT.none, join: joinV1(layout, path) };
  const slot = slots.take();
  before.push({
    op: 'open',
    owner: OWNER,
    slot,
    path: layout.unified + path,
    openFlags: O_DIRECTORY,
    flags: 0,
  });
  before.push(...deviceFilterV2(layout, resources, slot));
  return { before, slot, join: joinV1(layout, path) };
}

/** Where no v1 hierarchy knows devices, the v2 cgroup has to. */
function deviceFilterV2(layout: CgroupLayout, { devices }: OciResources, slot: number): Operation[] {
  if (hierarchyOf(layout, 'devices') !== null) return [];
  const program = deviceFilter([...devices, ...DEFAULT_DEVICE_RULES]);
  return program === null ? [] : [{ op: 'device_filter', owner: OWNER, slot, program }];
}

/** For one more process of a container; it writes for itself, so it has to be a child of whoever should not move. */
export function joinOperations(
  layout: CgroupLayout,
  { cgroupsPath, unifiedPath }: { readonly cgroupsPath: string; readonly unifiedPath: string },
): Operation[] {
  const unified = layout.unified === null ? [] : [write(`${layout.unified}${unifiedPath}/cgroup.procs`, '0')];
  return [...joinV1(layout, cgroupsPath), ...unified];
}

function joinV1(layout: CgroupLayout, path: string): Operation[] {
  return layout.v1.map((hierarchy) => write(`${hierarchy.path}${path}/tasks`, '0'));
}

function foldersV1(layout: CgroupLayout, path: string): Operation[] {
  return layout.v1.flatMap((hierarchy) =>
    ancestry(path).flatMap((level) => {
      const folder = hierarchy.path + level;
      // A new cpuset has no processor and no memory node, and takes nobody until it has both.
      const cpuset = hierarchy.controllers.includes('cpuset')
        ? [write(`${folder}/cpuset.cpus`, layout.cpuset.cpus), write(`${folder}/cpuset.mems`, layout.cpuset.mems)]
        : [];
      return [makeFolder(folder), ...cpuset];
    }),
  );
}

function foldersV2({ unified, v2Controllers }: CgroupLayout, path: string): Operation[] {
  if (unified === null) return [];
  const wanted = ['cpuset', 'cpu', 'io', 'memory', 'pids'].filter((name) => v2Controllers.includes(name));
  return ancestry(path).flatMap((level) => {
    const parent = unified + level.slice(0, level.lastIndexOf('/'));
    return [...(wanted.length === 0 ? [] : [enableBelow(parent, wanted)]), makeFolder(unified + level)];
  });
}

/** `/gantry/x` → `/gantry`, `/gantry/x`. Fails with InvalidParameter for a path that leads elsewhere. */
function ancestry(path: string): string[] {
  const parts = path.split('/').slice(1);
  if (!path.startsWith('/') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new InvalidParameter(`invalid cgroup path: ${path}`);
  }
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/** Every folder that a container has, for who takes them away. */
export function cgroupFolders(layout: CgroupLayout, path: string): string[] {
  const roots = layout.v1.map((hierarchy) => hierarchy.path);
  if (layout.unified !== null) roots.push(layout.unified);
  return roots.map((root) => root + path);
}

function write(path: string, data: string): Operation {
  return { op: 'write', owner: OWNER, path, data, flags: 0 };
}

/** A controller that cannot be had is told by the limit that cannot be set; without a limit nobody misses it. */
function enableBelow(path: string, controllers: readonly string[]): Operation {
  return { op: 'enable_controllers', owner: OWNER, path, controllers, flags: FLAG.mayFail };
}

function makeFolder(path: string): Operation {
  return { op: 'mkdir', owner: OWNER, path, mode: 0o755, flags: 0 };
}
