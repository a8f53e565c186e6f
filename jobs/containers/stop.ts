/**
 * stop — end a container's process: its stop signal, some time, SIGKILL.
 *
 * locks   container, while a signal is sent
 * emits   container kill, die (by the supervisor), stop
 * fails   NoSuchContainer · InvalidParameter (signal) · SystemFailure (it does not go)
 * source  Docker Engine API, POST /containers/{id}/stop
 */
import type { JobHandler } from '../daemon.ts';
import { naming } from '../naming.ts';
import { emitContainerEvent } from './event.ts';
import { type HaltDeps, halt, haltPlanFor } from './halt.ts';

export const stop =
  (deps: HaltDeps): JobHandler<'stop'> =>
  async (job) => {
    const [reference] = job.args;
    const container = deps.containers.get(reference);
    const plan = haltPlanFor(container, job.env);
    const hasRun = await naming(`Cannot stop container: ${reference}`, () =>
      halt(container.ID, plan, deps, job.signal),
    );
    if (!hasRun) return 'already stopped';
    emitContainerEvent(deps.events, deps.containers.find(container.ID) ?? container, 'stop');
    return 'stopped';
  };
