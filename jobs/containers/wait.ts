/**
 * wait — until a container has ended, ends next, or is gone; its exit code. One with --rm that has just gone by itself is
 *        still answered for: clients ask after they have started it, and it may be faster than their next request.
 *
 * accepts once it listens: what happens after that cannot be missed
 * fails   NoSuchContainer
 * source  Docker Engine API, POST /containers/{id}/wait; container/state.go, `Wait`
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WaitResult } from '../../api/container.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon, JobHandler, RunningJob } from '../daemon.ts';
import { isAlive, isUp, outcomeOf } from './life.ts';

type Deps = Pick<Daemon, 'containers' | 'departed'>;
type Condition = 'not-running' | 'next-exit' | 'removed';

export const wait =
  ({ containers, departed }: Deps): JobHandler<'wait'> =>
  async (job) => {
    const [reference] = job.args;
    // Nobody who waits for the next end is served with the last one.
    const mayBeGone = job.env.condition !== 'next-exit' && containers.find(reference) === null;
    const gone = mayBeGone ? departed.find(reference) : null;
    if (gone !== null) return { StatusCode: gone.exitCode, Error: null };
    const container = containers.get(reference);
    if (job.env.condition === 'not-running' && !isUp(container.State)) return withReason(container);
    const over = untilOver(containers, container, job);
    job.accept(null);
    const last = await over;
    // Whoever told us tells the rest of the world in the same turn: no client hears of it before.
    await nextTurn();
    return resultOf(last);
  };

/** Listens from the moment of the call. Gives the container as it was last. */
function untilOver(
  containers: Deps['containers'],
  container: ContainerRecord,
  { env, signal }: RunningJob<'wait'>,
): Promise<ContainerRecord> {
  return new Promise((resolve, reject) => {
    const watch = new Watch(container, env.condition);
    const leave = () => {
      unwatch();
      reject(signal.reason);
    };
    const unwatch = containers.watch(container.ID, (record) => {
      if (!watch.isOver(record)) return;
      unwatch();
      signal.removeEventListener('abort', leave);
      resolve(watch.last);
    });
    signal.addEventListener('abort', leave, { once: true });
  });
}

/** Follows a container's states until the one that is waited for. */
class Watch {
  last: ContainerRecord;
  readonly #condition: Condition;

  constructor(now: ContainerRecord, condition: Condition) {
    this.last = now;
    this.#condition = condition;
  }

  /** `record` is what the container is now, null when it is gone. */
  isOver(record: ContainerRecord | null): boolean {
    if (record === null) return true;
    const hasExited = isAlive(this.last.State) && !isAlive(record.State);
    const isOff = this.last.State.status === 'restarting' && !isUp(record.State);
    this.last = record;
    if (this.#condition === 'removed') return false;
    return hasExited || (isOff && this.#condition === 'not-running');
  }
}

/**
 * Why a start failed, for who asks afterwards. Whoever waited meanwhile has it from the start: `docker run` would say it
 * twice otherwise.
 */
function withReason(container: ContainerRecord): WaitResult {
  const { error } = outcomeOf(container.State);
  return { ...resultOf(container), Error: error === '' ? null : { Message: error } };
}

function resultOf({ State }: ContainerRecord): WaitResult {
  return { StatusCode: outcomeOf(State).exitCode, Error: null };
}
