/**
 * kill — send a signal to a container's process; SIGKILL, unless another is named, and then wait for the end.
 *
 * locks   container, while the signal is sent
 * emits   container kill
 * fails   NoSuchContainer · InvalidParameter (signal) · Conflict (not running) · SystemFailure (it does not go)
 * source  Docker Engine API, POST /containers/{id}/kill
 */
import { NotRunning } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import { SIGKILL, signalNumber, supportedSignal } from '../../api/signals.ts';
import type { JobHandler } from '../daemon.ts';
import { naming } from '../naming.ts';
import { cancelRestart, deliver, type HaltDeps, killed, markStopped, stopSignalOf } from './halt.ts';
import { isAlive } from './life.ts';

/** As long as Docker waits for what it has killed. */
const WAIT_MS = 10_000;

export const kill =
  (deps: HaltDeps): JobHandler<'kill'> =>
  async (job) => {
    const [reference, name = ''] = job.args;
    const signal = name === '' ? SIGKILL : signalNumber(name);
    await naming(`Cannot kill container: ${reference}`, async () => {
      const { ID: id } = deps.containers.get(reference);
      const { ended } = await send(id, supportedSignal(signal), deps);
      if (signal === SIGKILL) await killed(id, ended, WAIT_MS);
    });
    return null;
  };

/** Gives the end of the process that got the signal: not yet come, so it is handed out in a box. */
async function send(id: ContainerID, signal: number, deps: HaltDeps): Promise<{ ended: Promise<void> }> {
  const { containers, supervisor } = deps;
  await using _turn = await containers.lock.acquire(id);
  const container = containers.get(id);
  const isEnd = signal === SIGKILL || signal === stopSignalOf(container.Config);
  if (container.State.status === 'restarting') {
    if (isEnd) await cancelRestart(container, deps);
  } else {
    if (!isAlive(container.State)) throw new NotRunning(id);
    await deliver(isEnd ? await markStopped(container, deps) : container, signal, deps, isEnd);
  }
  return { ended: supervisor.settled(id) };
}
