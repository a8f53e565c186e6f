/** After a restart: what monitors still hold, and what ended while no daemon was there. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import createDebug from 'debug';
import { isFrozen, removeCgroups } from '../libcontainer/cgroup-control.ts';
import type { CgroupLayout } from '../libcontainer/cgroup-layout.ts';
import { Monitor, type Outcome } from '../libcontainer/monitor.ts';
import type { Adopted, Exit, Process } from './driver.ts';
import {
  type ContainerMeta,
  type ExecRoot,
  readContainerMeta,
  readExecMeta,
  readExit,
  removeFolder,
} from './exec-root.ts';
import { exitOf, instant, MonitoredProcess } from './monitored-process.ts';

const warn = createDebug('gantry:warn:exec');

/** How many monitors are asked at a time. */
const AT_ONCE = 64;
/** A monitor that is in the middle of its program answers when it is through. */
const MAX_WAIT_MS = 10_000;

export interface AdoptedContainer {
  readonly meta: ContainerMeta;
  /** Null for one that has ended. */
  readonly process: MonitoredProcess | null;
  readonly adopted: Adopted;
}

export async function adoptContainers(root: ExecRoot, cgroups: CgroupLayout): Promise<AdoptedContainer[]> {
  return inBatches(await root.folders('c'), async (folder) => {
    const meta = await readContainerMeta(folder);
    const found = meta === null ? null : await find(folder, meta.id);
    if (meta !== null && found !== null) {
      const process = found instanceof MonitoredProcess ? found : null;
      const outcome = { isFrozen: await isFrozen(cgroups, meta.cgroupsPath), ...outcomeOf(found) };
      return [{ meta, process, adopted: { kind: 'container', id: meta.id, outcome } }];
    }
    // Neither a monitor nor an exit: a start that a crash cut short.
    if (meta !== null) await removeCgroups(cgroups, meta.cgroupsPath);
    await removeFolder(folder);
    return [];
  });
}

export async function adoptExecs(root: ExecRoot): Promise<Adopted[]> {
  return inBatches(await root.folders('e'), async (folder) => {
    const meta = await readExecMeta(folder);
    const found = meta === null ? null : await find(folder, meta.id);
    if (meta === null || !(found instanceof MonitoredProcess)) await removeFolder(folder);
    else void found.exited.then(() => removeFolder(folder)).catch((left) => warn('cannot remove %s: %O', folder, left));
    if (meta === null || found === null) return [];
    return [{ kind: 'exec', id: meta.id, container: meta.container, outcome: outcomeOf(found) }];
  });
}

/** The process, how it ended, or null when there is no trace of either. */
async function find(folder: string, id: string): Promise<MonitoredProcess | Exit | null> {
  const monitor = await Monitor.find(join(folder, 'sock')).catch(() => null);
  const state = monitor === null ? null : await answerOf(monitor);
  if (monitor !== null && state?.kind === 'started') {
    return new MonitoredProcess(folder, monitor, { id, pid: state.pid, startedAt: instant(state.at), warnings: [] });
  }
  // A monitor that is just ending may not answer any more: then the file is there.
  monitor?.close();
  const exit = await readExit(folder);
  return exit === null ? null : exitOf(exit);
}

async function answerOf(monitor: Monitor): Promise<Outcome | null> {
  const giveUp = new AbortController();
  const late = sleep(MAX_WAIT_MS, null, { signal: giveUp.signal }).catch(() => null);
  try {
    return await Promise.race([monitor.outcome, late]);
  } finally {
    giveUp.abort();
  }
}

function outcomeOf(found: MonitoredProcess | Exit): { process: Process } | { exit: Exit } {
  return found instanceof MonitoredProcess ? { process: found } : { exit: found };
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R[]>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    const batch = await Promise.all(items.slice(from, from + AT_ONCE).map(work));
    results.push(...batch.flat());
  }
  return results;
}
