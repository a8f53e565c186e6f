import { readFile } from 'node:fs/promises';
import { NotRunning } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import { isErrno } from '../libcontainer/kernel/call.ts';
import { close } from '../libcontainer/kernel/descriptors.ts';
import { pidfdOpen } from '../libcontainer/kernel/process.ts';

/** A pidfd, closed at the end of its block. */
export interface OpenInit extends Disposable {
  readonly fd: number;
  /** Where init is in the v2 tree: below the container's own cgroup, where it has made some itself. */
  readonly unifiedPath: string;
}

/**
 * Opens a container's init by its number, and makes sure that the number has not passed to another process: whoever is
 * joined by it must be in the container's cgroup. Fails with NotRunning.
 */
export async function openInit(pid: number, cgroupsPath: string, container: ContainerID): Promise<OpenInit> {
  const init = openedInit(pid, container);
  const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  if (cgroups.includes(cgroupsPath)) return { ...init, unifiedPath: unifiedPath(cgroups, cgroupsPath) };
  init[Symbol.dispose]();
  throw new NotRunning(container);
}

function unifiedPath(cgroups: string, cgroupsPath: string): string {
  const path = /^0::(.*)$/m.exec(cgroups)?.[1] ?? '';
  return path.startsWith(`${cgroupsPath}/`) ? path : cgroupsPath;
}

function openedInit(pid: number, container: ContainerID): Disposable & { readonly fd: number } {
  try {
    const fd = pidfdOpen(pid);
    return { fd, [Symbol.dispose]: () => close(fd) };
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EINVAL')) throw new NotRunning(container);
    throw error;
  }
}
