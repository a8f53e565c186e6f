/**
 * top — the processes of a container, as ps shows them on the host.
 *
 *   reads    /proc of the processes in the container's cgroup; /etc/passwd and /etc/group of the host
 *   emits    top
 *   fails    NoSuchContainer, Conflict (not running, restarting), SystemFailure (arguments of ps, in its words)
 *   source   Docker Engine API, ContainerTop; dockerd's daemon/top_unix.go; ps(1)
 */
import type { TopResult } from '../../api/container.ts';
import { type ProcessFacts, readProcess } from '../../std/proc.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { checkRunning } from './active.ts';
import { emitContainerEvent } from './event.ts';
import type { Machine } from './ps-columns.ts';
import { machine } from './ps-machine.ts';
import { type PsList, parsePsOptions } from './ps-options.ts';

type Deps = Pick<Daemon, 'containers' | 'exec' | 'events' | 'host'>;

const DEFAULT_ARGS = '-ef';
/** Processes looked at side by side. */
const BATCH = 32;

export const top =
  (deps: Deps): JobHandler<'top'> =>
  async (job) => {
    const [reference, args = ''] = job.args;
    const list = parsePsOptions(args === '' ? DEFAULT_ARGS : args);
    const container = deps.containers.get(reference);
    checkRunning(container);
    const processes = await processesOf(await deps.exec.pids(container.ID));
    const rows = rowsOf(list, processes, await machine(deps.host.memory));
    emitContainerEvent(deps.events, container, 'top');
    return rows;
  };

async function processesOf(pids: readonly number[]): Promise<ProcessFacts[]> {
  const sorted = [...pids].sort((a, b) => a - b);
  const found: ProcessFacts[] = [];
  for (let first = 0; first < sorted.length; first += BATCH) {
    const batch = await Promise.all(sorted.slice(first, first + BATCH).map(readProcess));
    for (const process of batch) if (process !== null) found.push(process);
  }
  return found;
}

function rowsOf(list: PsList, processes: readonly ProcessFacts[], on: Machine): TopResult {
  const ordered = list.isForest ? forest(processes) : processes;
  const commands = list.columns.map(({ title }) => title === 'CMD' || title === 'COMMAND');
  return {
    Titles: list.columns.map(({ title }) => title),
    Processes: ordered.map((process) =>
      list.columns.map(({ text }, at) => (list.isForest && commands[at] ? '\\_ ' : '') + text(process, on)),
    ),
  };
}

/** Parents before their children, and each family together. */
function forest(processes: readonly ProcessFacts[]): ProcessFacts[] {
  const pids = new Set(processes.map(({ pid }) => pid));
  const children = new Map<number, ProcessFacts[]>();
  for (const process of processes) {
    const parent = pids.has(process.ppid) ? process.ppid : 0;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [process]);
    else siblings.push(process);
  }
  const ordered: ProcessFacts[] = [];
  const open = (children.get(0) ?? []).toReversed();
  for (let process = open.pop(); process !== undefined; process = open.pop()) {
    ordered.push(process);
    for (const child of (children.get(process.pid) ?? []).toReversed()) open.push(child);
  }
  return ordered;
}
