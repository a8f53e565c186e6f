/**
 * pause, unpause — a container's processes stand still, and go on.
 *
 * locks   container
 * emits   container pause, unpause
 * fails   NoSuchContainer · Conflict (not running, paused already, not paused) · OperationFailed
 * source  Docker Engine API, POST /containers/{id}/pause and /unpause
 */
import { Conflict } from '../../api/errors.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { naming } from '../naming.ts';
import { checkRunning } from './active.ts';
import { emitContainerEvent } from './event.ts';

type Deps = Pick<Daemon, 'containers' | 'events' | 'exec'>;

export const pause =
  ({ containers, events, exec }: Deps): JobHandler<'pause'> =>
  async (job) => {
    const { ID: id } = containers.get(job.args[0]);
    await using _turn = await containers.lock.acquire(id, job.signal);
    const container = containers.get(id);
    checkRunning(container);
    if (container.State.status !== 'running') throw new Conflict(`Container ${id} is already paused`);
    await naming(`Cannot pause container ${id}`, () => exec.freeze(id, true));
    await containers.save({ ...container, State: { ...container.State, status: 'paused' } }, 'written');
    emitContainerEvent(events, container, 'pause');
    return null;
  };

export const unpause =
  ({ containers, events, exec }: Deps): JobHandler<'unpause'> =>
  async (job) => {
    const { ID: id } = containers.get(job.args[0]);
    await using _turn = await containers.lock.acquire(id, job.signal);
    const container = containers.get(id);
    if (container.State.status !== 'paused') throw new Conflict(`Container ${id} is not paused`);
    await naming(`Cannot unpause container ${id}`, () => exec.freeze(id, false));
    await containers.save({ ...container, State: { ...container.State, status: 'running' } }, 'written');
    emitContainerEvent(events, container, 'unpause');
    return null;
  };
