/**
 * attach — joins the caller's streams with a container's. One that does not run is waited for: `docker run` attaches
 * before it starts.
 *
 *   reads    the container's record, with `logs` its log
 *   locks    the container, for the moment in which a start may be under way
 *   streams  stdin, stdout, stderr: the container's own
 *   emits    attach, detach (left by the detach keys)
 *   fails    InvalidParameter (detach keys), NoSuchContainer, Conflict (paused, restarting), NotImplemented (`logs` with a
 *            log driver that cannot read)
 *   source   Docker Engine API, ContainerAttach; dockerd's daemon/attach.go, container/stream/attach.go
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Conflict, InvalidParameter } from '../../api/errors.ts';
import type { AttachEnv } from '../../api/jobs.ts';
import type { Attachment, Process } from '../../drivers/exec/driver.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon, JobHandler, RunningJob } from '../daemon.ts';
import { AttachPlace } from './attach-place.ts';
import { type CarryPlan, carry } from './carry.ts';
import { DetachWatch, parseDetachKeys } from './detach-keys.ts';
import { emitContainerEvent } from './event.ts';
import { writeLogLines } from './log-lines.ts';
import { type LogDeps, type ReadableLog, readableLog } from './readable-log.ts';
import type { Running } from './running.ts';

/** How long the end of a process whose monitor is gone may take to be known. */
const END_MS = 1000;

type Deps = LogDeps & Running & Pick<Daemon, 'attachments' | 'events'>;

export const attach =
  (deps: Deps): JobHandler<'attach'> =>
  async (job) => {
    const [reference] = job.args;
    const keys = parseDetachKeys(job.env.detachKeys);
    if (keys === null) throw new InvalidParameter(`Invalid detach keys (${job.env.detachKeys}) provided`);
    const record = deps.containers.get(reference);
    checkState(record, reference);
    const log = job.env.logs ? readableLog(deps, record) : null;
    using place = new AttachPlace(job.signal);
    if (job.env.stream) await take(place, deps, record, job);
    job.accept({ Tty: record.Config.Tty });
    emitContainerEvent(deps.events, record, 'attach');
    if (log !== null) await replay(log, job);
    const attachment = job.env.stream ? await place.taken : null;
    if (attachment === null) return 'ended';
    const end = await carry(job, attachment, planFor(record, job.env, keys));
    if (end === 'keys') emitContainerEvent(deps.events, record, 'detach');
    return end === 'ended' ? 'ended' : 'detached';
  };

function checkState({ State }: ContainerRecord, reference: string): void {
  if (State.status === 'paused') {
    throw new Conflict(`container ${reference} is paused, unpause the container before attach`);
  }
  if (State.status === 'restarting') {
    throw new Conflict(`container ${reference} is restarting, wait until the container is running`);
  }
}

/** Nothing that the container writes from the moment this resolves is missed. */
async function take(
  place: AttachPlace,
  deps: Deps,
  { ID }: ContainerRecord,
  { env, signal }: RunningJob<'attach'>,
): Promise<void> {
  const running = deps.supervisor.process(ID);
  if (running !== null) return place.give(await attachTo(running, env));
  await using _turn = await deps.containers.lock.acquire(ID, signal);
  const started = deps.supervisor.process(ID);
  if (started !== null) return place.give(await attachTo(started, env));
  deps.containers.get(ID);
  const { stdin, stdout, stderr } = env;
  place.wait(deps.attachments, ID, { stdin, stdout, stderr });
}

/** A monitor that ends takes its socket away a moment before the daemon knows of the end. */
async function attachTo(process: Process, { stdin, stdout, stderr }: AttachEnv): Promise<Attachment | null> {
  try {
    return await process.attach({ stdin, stdout, stderr });
  } catch (error) {
    const hasEnded = await Promise.race([process.exited.then(() => true), sleep(END_MS, false)]);
    if (hasEnded) return null;
    throw error;
  }
}

async function replay(log: ReadableLog, job: RunningJob<'attach'>): Promise<void> {
  const { stdout, stderr } = job.env;
  const all = { tail: 'all', since: null, until: null, follow: false } as const;
  const batches = log.read({ ...all, ended: Promise.resolve(), signal: job.signal });
  for await (const batch of batches)
    await writeLogLines(batch, { stdout, stderr, timestamps: false, details: '' }, job);
}

function planFor({ Config }: ContainerRecord, env: AttachEnv, keys: readonly number[]): CarryPlan {
  if (!env.stdin || !Config.OpenStdin) return { stdin: null };
  return {
    stdin: { closes: Config.StdinOnce && !Config.Tty, keys: Config.Tty ? new DetachWatch(keys) : null },
  };
}
