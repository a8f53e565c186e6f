/**
 * restart — stop a container, if it runs, and start it.
 *
 * locks   container
 * emits   container kill, die, stop, start, restart
 * fails   as stop and start
 * source  Docker Engine API, POST /containers/{id}/restart
 */
import type { JobHandler } from '../daemon.ts';
import { naming } from '../naming.ts';
import { emitContainerEvent } from './event.ts';
import { halt, haltPlanFor } from './halt.ts';
import { type LaunchDeps, launch } from './launch.ts';
import { isAlive } from './life.ts';

export const restart =
  (deps: LaunchDeps): JobHandler<'restart'> =>
  async (job) => {
    const { containers, events, supervisor } = deps;
    const [reference] = job.args;
    const { ID: id, ...rest } = containers.get(reference);
    const plan = haltPlanFor({ ID: id, ...rest }, job.env);
    await naming(`Cannot restart container ${reference}`, async () => {
      using _kept = supervisor.keep(id);
      if (await halt(id, plan, deps, job.signal)) emitContainerEvent(events, containers.get(id), 'stop');
      await using _turn = await containers.lock.acquire(id);
      const container = containers.get(id);
      if (isAlive(container.State)) return;
      supervisor.resetDelay(id);
      await launch({ ...container, RestartCount: 0, HasBeenManuallyStopped: false }, deps);
    });
    emitContainerEvent(events, containers.find(id) ?? { ID: id, ...rest }, 'restart');
    return null;
  };
