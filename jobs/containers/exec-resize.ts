/**
 * exec_resize — tells the terminal of an exec its size. The CLI asks as soon as it has sent the start: an exec that is
 * on its way is waited for.
 *
 *   fails    InvalidParameter (no numbers), NoSuchExec, SystemFailure (not started in time)
 *   source   Docker Engine API, ExecResize; dockerd's daemon/resize.go
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Conflict, SystemFailure } from '../../api/errors.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { parseConsoleSize } from './console-size.ts';

/** As long as dockerd waits. */
const WAIT_MS = 10_000;
const STEP_MS = 10;

export const execResize =
  ({ execs }: Pick<Daemon, 'execs'>): JobHandler<'exec_resize'> =>
  async (job) => {
    const [reference, height, width] = job.args;
    const size = parseConsoleSize(height, width);
    const { ID } = execs.get(reference);
    for (let waited = 0; waited < WAIT_MS; waited += STEP_MS) {
      const process = execs.process(ID);
      if (process !== null) {
        process.resize(...size);
        return null;
      }
      if (execs.get(ID).State.status === 'exited') throw new Conflict(`Exec ${ID} is not running`);
      await sleep(STEP_MS, undefined, { signal: job.signal });
    }
    throw new SystemFailure('timeout waiting for exec session ready');
  };
