/**
 * exec_resize — tells the terminal of an exec its size. The CLI asks as soon as it has sent the start: an exec that is
 * on its way is waited for.
 *
 *   fails    InvalidParameter (no numbers), NoSuchExec, Conflict (it has ended), SystemFailure (not started in time)
 *   source   Docker Engine API, ExecResize; dockerd's daemon/resize.go
 */
import { Conflict, SystemFailure } from '../../api/errors.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { parseConsoleSize } from './console-size.ts';

/** As long as dockerd waits. */
const WAIT_MS = 10_000;

export const execResize =
  ({ execs }: Pick<Daemon, 'execs'>): JobHandler<'exec_resize'> =>
  async (job) => {
    const [reference, height, width] = job.args;
    const size = parseConsoleSize(height, width);
    const { ID } = execs.get(reference);
    const late = AbortSignal.timeout(WAIT_MS);
    const process = await execs.begun(ID, AbortSignal.any([job.signal, late])).catch((reason: unknown) => {
      throw reason === late.reason ? new SystemFailure('timeout waiting for exec session ready') : reason;
    });
    if (process === null) throw new Conflict(`Exec ${execs.get(ID).ID} is not running`);
    process.resize(...size);
    return null;
  };
