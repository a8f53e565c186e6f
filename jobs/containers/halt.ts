/**
 * The end of a container's process at the user's wish: `stop`, `restart`, `kill` and `delete --force` share it. The lock
 * is held only while a signal is sent: whoever comes to kill what is being stopped does not wait.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemFailure } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import { parseSignal, SIGKILL, SIGTERM } from '../../api/signals.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon } from '../daemon.ts';
import { emitContainerEvent } from './event.ts';
import { isAlive } from './life.ts';

const DEFAULT_TIMEOUT_S = 10;
/** How long the kernel may take to end what got SIGKILL. */
const KILL_GRACE_MS = 2000;
/** setTimeout(3) of Node takes no more than 31 bits. */
const MAX_TIMEOUT_S = 2_147_483;

export type HaltDeps = Pick<Daemon, 'containers' | 'events' | 'exec' | 'supervisor'>;

export interface HaltPlan {
  /** Number of the signal that asks it to end. */
  readonly signal: number;
  /** Until SIGKILL; -1 for never. */
  readonly timeoutSeconds: number;
}

export function haltPlanFor({ Config }: ContainerRecord, env: { t: number | null; signal: string }): HaltPlan {
  return {
    signal: env.signal === '' ? stopSignalOf(Config) : parseSignal(env.signal),
    timeoutSeconds: env.t ?? Config.StopTimeout ?? DEFAULT_TIMEOUT_S,
  };
}

export function stopSignalOf({ StopSignal }: Pick<ContainerRecord['Config'], 'StopSignal'>): number {
  return StopSignal === '' ? SIGTERM : parseSignal(StopSignal);
}

/**
 * Ends the container: the signal, the timeout, SIGKILL. False when it did not run. When it returns the end is recorded;
 * `signal` is for a wait without end alone, since a stop that has begun is carried through. Fails with SystemFailure
 * when the process does not go.
 */
export async function halt(id: ContainerID, plan: HaltPlan, deps: HaltDeps, signal: AbortSignal): Promise<boolean> {
  const outcome = await beginEnd(id, plan.signal, deps);
  if (outcome !== 'signalled') return outcome === 'rests';
  const ended = deps.supervisor.settled(id);
  if (plan.signal !== SIGKILL) {
    if (await isDoneWithin(ended, plan.timeoutSeconds, signal)) return true;
    await kill(id, deps);
  }
  await killed(id, ended, KILL_GRACE_MS);
  return true;
}

/** Waits for what has got SIGKILL. Fails with SystemFailure. */
export async function killed(id: ContainerID, ended: Promise<void>, graceMs: number): Promise<void> {
  if (await isDoneWithin(ended, graceMs / 1000)) return;
  throw new SystemFailure(`container ${id}: tried to kill container, but did not receive an exit event`);
}

/** Under the lock: what waited for a restart rests from now on, what runs gets the signal. */
async function beginEnd(
  id: ContainerID,
  signal: number,
  deps: HaltDeps,
): Promise<'signalled' | 'rests' | 'did not run'> {
  const { containers } = deps;
  await using _turn = await containers.lock.acquire(id);
  const container = containers.find(id);
  if (container?.State.status === 'restarting') {
    await cancelRestart(container, deps);
    return 'rests';
  }
  if (container === null || !isAlive(container.State)) return 'did not run';
  const stopped = await markStopped(container, deps);
  await deliver(stopped, signal, deps, true);
  return 'signalled';
}

async function kill(id: ContainerID, deps: HaltDeps): Promise<void> {
  await using _turn = await deps.containers.lock.acquire(id);
  const container = deps.containers.find(id);
  if (container !== null && isAlive(container.State)) await deliver(container, SIGKILL, deps, true);
}

/** The restart policy rests until the user starts it again. A daemon that comes back has to know that too. */
export async function markStopped(container: ContainerRecord, { containers }: HaltDeps): Promise<ContainerRecord> {
  if (container.HasBeenManuallyStopped) return container;
  const marked = { ...container, HasBeenManuallyStopped: true };
  const isRestarted = !['', 'no'].includes(container.HostConfig.RestartPolicy.Name);
  await containers.save(marked, isRestarted ? 'written' : 'memory');
  return marked;
}

/** Under the lock, for a container that waits for its next start. */
export async function cancelRestart(container: ContainerRecord, { containers, supervisor }: HaltDeps): Promise<void> {
  if (container.State.status !== 'restarting') return;
  supervisor.forget(container.ID);
  const State = { ...container.State, status: 'exited' } as const;
  await containers.save({ ...container, State, HasBeenManuallyStopped: true });
}

/** Sends a signal. With `thaw`, what is frozen goes on, so that the signal reaches it. */
export async function deliver(
  container: ContainerRecord,
  signal: number,
  { containers, events, exec, supervisor }: HaltDeps,
  thaw: boolean,
): Promise<void> {
  const { ID: id, State } = container;
  supervisor.process(id)?.signal(signal);
  if (thaw && State.status === 'paused') {
    await exec.freeze(id, false);
    await containers.save({ ...container, State: { ...State, status: 'running' } }, 'written');
    emitContainerEvent(events, container, 'unpause');
  }
  emitContainerEvent(events, container, 'kill', { signal: String(signal) });
}

async function isDoneWithin(done: Promise<void>, seconds: number, signal?: AbortSignal): Promise<boolean> {
  const rest = new AbortController();
  const isEndless = seconds < 0;
  const given = isEndless && signal !== undefined ? AbortSignal.any([rest.signal, signal]) : rest.signal;
  const ms = Math.min(isEndless ? MAX_TIMEOUT_S : seconds, MAX_TIMEOUT_S) * 1000;
  const timeout = sleep(ms, false, { signal: given });
  timeout.catch(() => {});
  try {
    return await Promise.race([done.then(() => true), timeout]);
  } finally {
    rest.abort();
  }
}
