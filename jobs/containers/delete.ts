/**
 * delete — remove a container; with `force` also one that runs.
 *
 * locks   container
 * emits   container kill, die; volume destroy; container destroy
 * fails   NoSuchContainer · Conflict (it runs, its removal is under way)
 * source  Docker Engine API, DELETE /containers/{id}; words of daemon/delete.go
 */

import { Conflict } from '../../api/errors.ts';
import { SIGKILL } from '../../api/signals.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { naming } from '../naming.ts';
import { type HaltDeps, halt } from './halt.ts';
import { isUp } from './life.ts';
import { type RemoveDeps, removeContainer } from './remove-container.ts';

/** Someone may start it between our kill and our turn; who does so without end is left alone. */
const TRIES = 3;

type Deps = HaltDeps & RemoveDeps & Pick<Daemon, 'departed'>;

export const remove =
  (deps: Deps): JobHandler<'delete'> =>
  async (job) => {
    const [reference] = job.args;
    const { force, v, link } = job.env;
    const { ID: id } = deps.containers.get(reference);
    if (link) throw new Conflict('Conflict, cannot remove the default link name of the container');
    for (let tries = TRIES; ; tries--) {
      const before = deps.containers.get(id);
      checkRemovable(before, reference, force && tries > 0);
      if (isUp(before.State)) {
        const plan = { signal: SIGKILL, timeoutSeconds: 0 };
        await naming(`Could not kill running container ${id}, cannot remove`, () => halt(id, plan, deps, job.signal));
      }
      await using _turn = await deps.containers.lock.acquire(id);
      const container = deps.containers.find(id);
      // With --rm it has gone by itself when it was killed: removed by hand all the same.
      deps.departed.forget(id);
      if (container === null) return null;
      if (force && isUp(container.State)) continue;
      checkRemovable(container, reference, false);
      await removeContainer(container, { volumes: v }, deps);
      return null;
    }
  };

function checkRemovable({ ID, State }: ContainerRecord, reference: string, force: boolean): void {
  if (State.status === 'removing') {
    throw new Conflict(`removal of container ${reference} is already in progress`);
  }
  if (force) return;
  if (State.status === 'paused') {
    throw new Conflict(
      `You cannot remove a paused container ${ID}. Unpause and then stop the container before attempting removal or force remove`,
    );
  }
  if (State.status !== 'running' && State.status !== 'restarting') return;
  throw new Conflict(
    `You cannot remove a ${State.status} container ${ID}. Stop the container before attempting removal or force remove`,
  );
}
