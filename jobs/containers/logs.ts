/**
 * logs — what a container has written, and with `follow` what it writes until it ends.
 *
 *   reads    the container's record, its log files
 *   streams  stdout, stderr: the container's own, dressed with time and attributes where asked for
 *   fails    InvalidParameter (no stream chosen, bad since or until), NoSuchContainer, Conflict (being removed),
 *            NotImplemented (a log driver that cannot read)
 *   source   Docker Engine API, ContainerLogs; dockerd's daemon/logs.go
 */

import { Conflict, InvalidParameter } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import { parseInstant } from '../../api/instant.ts';
import type { LogsEnv } from '../../api/jobs.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import { now } from '../../std/timestamp.ts';
import type { JobHandler } from '../daemon.ts';
import { isAlive } from './life.ts';
import { detailsText, type LogStyle, writeLogLines } from './log-lines.ts';
import { type LogDeps, readableLog } from './readable-log.ts';
import type { Running } from './running.ts';

type Deps = LogDeps & Running;

export const logs =
  (deps: Deps): JobHandler<'logs'> =>
  async (job) => {
    const [reference] = job.args;
    if (!job.env.stdout && !job.env.stderr) {
      throw new InvalidParameter('Bad parameters: you must choose at least one stream');
    }
    const record = deps.containers.get(reference);
    checkState(record);
    const log = readableLog(deps, record);
    const style: LogStyle = { ...job.env, details: job.env.details ? detailsText(log.attributes()) : '' };
    const follow = job.env.follow && deps.supervisor.process(record.ID) !== null;
    using end = new EndOf(deps, record.ID);
    const batches = log.read({ ...boundsOf(job.env), follow, ended: end.reached, signal: job.signal });
    job.accept({ Tty: record.Config.Tty });
    for await (const batch of batches) await writeLogLines(batch, style, job);
    return null;
  };

/**
 * The end of the process that a container has now. Not the process's own promise: each reader that leaves before would
 * leave something behind on it, for as long as the container lives.
 */
class EndOf implements Disposable {
  readonly reached: Promise<void>;
  #unwatch: () => void = () => {};

  constructor({ containers }: Deps, id: ContainerID) {
    this.reached = new Promise((resolve) => {
      this.#unwatch = containers.watch(id, (record) => {
        if (record === null || !isAlive(record.State)) resolve();
      });
    });
  }

  [Symbol.dispose](): void {
    this.#unwatch();
  }
}

function checkState({ State }: ContainerRecord): void {
  if (State.status === 'dead' || State.status === 'removing') {
    throw new Conflict('can not get logs from container which is dead or marked for removal');
  }
}

function boundsOf(env: LogsEnv): { tail: number | 'all'; since: bigint | null; until: bigint | null } {
  const moment = now();
  return {
    tail: tailOf(env.tail),
    since: parseInstant(env.since, moment),
    until: env.until === '0' ? null : parseInstant(env.until, moment),
  };
}

/** Docker takes all for whatever is not a count. */
function tailOf(text: string): number | 'all' {
  return /^\+?\d+$/.test(text) ? Number(text) : 'all';
}
