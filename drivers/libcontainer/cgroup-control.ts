/** What is done to a container's cgroups after its birth: look, stop, kill, take away. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemFailure } from '../../api/errors.ts';
import { hasErrno } from '../../std/errno.ts';
import { cgroupFolders } from './cgroup.ts';
import { type CgroupLayout, hierarchyOf, isPureV2 } from './cgroup-layout.ts';
import { FLAG } from './program.ts';
import { runProgram } from './run-program.ts';

/** Longest wait for a freeze to hold, or for the last process of a cgroup to be gone. */
const MAX_WAIT_MS = 10_000;
const OWNER = 'exec/cgroup';

/** Host pids of all processes in a cgroup and below it. Empty when it is gone. */
export async function cgroupPids(layout: CgroupLayout, path: string): Promise<number[]> {
  const [folder] = cgroupFolders(layout, path).toReversed();
  return folder === undefined ? [] : pidsIn(folder);
}

async function pidsIn(folder: string): Promise<number[]> {
  const own = await readFile(`${folder}/cgroup.procs`, 'utf8').catch(() => '');
  const below = await Promise.all((await children(folder)).map(pidsIn));
  return [...own.split('\n').filter(Boolean).map(Number), ...below.flat()];
}

/** Resolves when every process stands still, or goes on. Fails with SystemFailure when some would not in 10 s. */
export async function freezeCgroup(layout: CgroupLayout, path: string, frozen: boolean): Promise<void> {
  const freezer = hierarchyOf(layout, 'freezer');
  if (freezer !== null) {
    const state = `${freezer}${path}/freezer.state`;
    return settle(state, frozen ? 'FROZEN' : 'THAWED', 'THAWED', async () => (await readFile(state, 'utf8')).trim());
  }
  const folder = layout.unified + path;
  await settle(`${folder}/cgroup.freeze`, frozen ? '1' : '0', '0', async () => {
    const events = await readFile(`${folder}/cgroup.events`, 'utf8');
    return /^frozen (\d)$/m.exec(events)?.[1] ?? '';
  });
}

/** Whether its processes stand still, or are about to. False for a cgroup that is gone. */
export async function isFrozen(layout: CgroupLayout, path: string): Promise<boolean> {
  const freezer = hierarchyOf(layout, 'freezer');
  const file = freezer === null ? `${layout.unified}${path}/cgroup.freeze` : `${freezer}${path}/freezer.state`;
  const state = (await readFile(file, 'utf8').catch(() => '')).trim();
  return ['1', 'FREEZING', 'FROZEN'].includes(state);
}

/** A process that forks meanwhile may slip through on v1, so the wish is written again until it holds. */
async function settle(file: string, wanted: string, undo: string, read: () => Promise<string>): Promise<void> {
  const deadline = performance.now() + MAX_WAIT_MS;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    await writeFile(file, wanted);
    if ((await read()) === wanted) return;
    if (performance.now() > deadline) break;
    await sleep(pause);
  }
  await writeFile(file, undo);
  throw new SystemFailure(`unable to freeze: ${file} is not ${wanted} after ${MAX_WAIT_MS / 1000} s`);
}

/** SIGKILL to whatever is in a cgroup and below it; on v1 it does not reach what is frozen before that is thawed. */
async function killCgroup(layout: CgroupLayout, path: string): Promise<void> {
  if (layout.unified !== null && (await wrote(`${layout.unified}${path}/cgroup.kill`, '1')) && isPureV2(layout)) return;
  for (const pid of await cgroupPids(layout, path)) kill(pid);
  const freezer = hierarchyOf(layout, 'freezer');
  if (freezer !== null) await thaw(`${freezer}${path}`);
}

/** Also below: a container that may write to its cgroups can have frozen some itself. */
async function thaw(folder: string): Promise<void> {
  await wrote(`${folder}/freezer.state`, 'THAWED');
  for (const child of await children(folder)) await thaw(child);
}

/**
 * Takes a container's cgroups away, killing what is still in them: a container that shares another's pid namespace leaves
 * processes behind. Idempotent. Fails with SystemFailure when some cannot be removed in 10 s.
 */
export async function removeCgroups(layout: CgroupLayout, path: string): Promise<void> {
  const deadline = performance.now() + MAX_WAIT_MS;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const busy = await removeFolders(cgroupFolders(layout, path));
    if (busy.length === 0) return;
    if (performance.now() > deadline) throw new SystemFailure(`cannot remove cgroups ${busy.join(', ')}`);
    await killCgroup(layout, path);
    await sleep(pause);
  }
}

/**
 * Gives those that are not gone. One program for all of them: there is one in every hierarchy, and a container's end is
 * to cost no more of the daemon's time than it must.
 */
async function removeFolders(folders: readonly string[]): Promise<string[]> {
  if (folders.length === 0) return [];
  const flags = FLAG.mayFail | FLAG.missingOk;
  const { warnings } = await runProgram(folders.map((path) => ({ op: 'rmdir', owner: OWNER, path, flags })));
  const left = warnings.flatMap(({ op }) => folders[op] ?? []);
  for (const folder of left) await removeFolders(await children(folder));
  return left;
}

async function children(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => `${folder}/${entry.name}`);
}

async function wrote(file: string, data: string): Promise<boolean> {
  return writeFile(file, data).then(
    () => true,
    () => false,
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return hasErrno(error, 'ENOENT', 'ESRCH');
}
