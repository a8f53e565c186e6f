import { channel } from 'node:diagnostics_channel';
import createDebug from 'debug';
import { SystemFailure } from '../../api/errors.ts';
import { CHANNEL, type KernelOperation, type ProgramRan } from '../../api/trace.ts';
import { describe } from '../libcontainer/describe.ts';
import { encodeProgram } from '../libcontainer/encode.ts';
import { errnoSymbol } from '../libcontainer/errno.ts';
import type { GantryInit } from '../libcontainer/gantry-init.ts';
import { close, sealedFile } from '../libcontainer/kernel/descriptors.ts';
import { ended } from '../libcontainer/kernel/process.ts';
import { socketPair } from '../libcontainer/kernel/sockets.ts';
import { Monitor, MonitorAttachment, type Outcome, streamFlags } from '../libcontainer/monitor.ts';
import type { Operation } from '../libcontainer/program.ts';
import type { StdioPlan } from './driver.ts';
import { programFailure, type Verb } from './failure.ts';

const debug = createDebug('gantry:exec:launch');
const operations = channel(CHANNEL.operation);

export interface LaunchRequest {
  readonly verb: Verb;
  /** The monitor's own, in the exec-root. */
  readonly folder: string;
  readonly program: readonly Operation[];
  readonly stdio: StdioPlan;
  /** More words of OPTIONS (ARCHITECTURE.md, "Monitors"). */
  readonly options: Readonly<Record<string, string | number>>;
  /** For an exec: the container's init. */
  readonly pidfd: number | null;
}

export interface Launched {
  readonly monitor: Monitor;
  readonly started: Extract<Outcome, { kind: 'started' }>;
}

/** Descriptors 0 to 2 of a monitor lead nowhere; then come the program, the control connection, and attachments. */
const PROGRAM_FD = 3;
const CONTROL_FD = 4;

/**
 * Starts a monitor with its program and resolves when execve(2) has happened. Attachments are handed out then, with all
 * that the process has written since. Fails with what `programFailure` says.
 */
export async function launch(init: GantryInit, request: LaunchRequest): Promise<Launched> {
  const { verb, program, stdio } = request;
  const { monitor, attachments } = await spawnMonitor(init, request);
  const outcome = await monitor.outcome;
  if (outcome !== null) trace(program, outcome);
  if (outcome?.kind === 'started') {
    stdio.attach.forEach((wanted, index) => {
      const attachment = attachments[index];
      if (attachment !== undefined) wanted.connected(attachment);
    });
    return { monitor, started: outcome };
  }
  for (const attachment of attachments) attachment.connection.destroy();
  monitor.close();
  if (outcome === null) throw new SystemFailure(`${verb}: the monitor ended without a word`);
  throw programFailure(verb, program, outcome);
}

async function spawnMonitor(init: GantryInit, { verb, folder, program, stdio, options, pidfd }: LaunchRequest) {
  const theirs: number[] = [];
  const ours: number[] = [];
  try {
    theirs.push(sealedFile('program', encodeProgram(program)));
    for (let count = 1 + stdio.attach.length; count > 0; count--) {
      const [mine, its] = socketPair();
      ours.push(mine);
      theirs.push(its);
    }
    const fds = [null, null, null, ...theirs, ...(pidfd === null ? [] : [pidfd])];
    const attach = stdio.attach.map((streams, index) => `${CONTROL_FD + 1 + index}:${streamFlags(streams)}`);
    const more = pidfd === null ? {} : { pidfd: fds.length - 1 };
    const words = [
      verb,
      folder,
      String(PROGRAM_FD),
      String(CONTROL_FD),
      optionWord({ ...options, ...more }),
      ...attach,
    ];
    debug('gantry-init %s', words.join(' '));
    const spawned = await init.spawn(words, fds);
    void ended(spawned.pidfd).then((ending) => debug('monitor of %s: %o', folder, ending));
  } catch (error) {
    ours.forEach(close);
    throw error;
  } finally {
    theirs.forEach(close);
  }
  const [control, ...rest] = ours;
  if (control === undefined) throw new RangeError('no control connection');
  return { monitor: Monitor.over(control), attachments: rest.map((fd) => MonitorAttachment.over(fd)) };
}

/** `tty=1,log_path=%2Fvar%2Flib`: neither comma nor equals sign is left in a value. */
export function optionWord(options: Readonly<Record<string, string | number>>): string {
  return Object.entries(options)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join(',');
}

export function stdioOptions({ tty, openStdin, consoleSize }: StdioPlan): Record<string, number> {
  const [height, width] = consoleSize ?? [0, 0];
  return { tty: Number(tty), stdin: Number(openStdin), height, width };
}

/** Tells the trace what ran, and for how long; in words only when somebody looks. */
function trace(program: readonly Operation[], outcome: Outcome): void {
  if (!operations.hasSubscribers) return;
  const message: ProgramRan = { kind: 'program', operations: () => operationsOf(program, outcome) };
  operations.publish(message);
}

function operationsOf(program: readonly Operation[], outcome: Outcome): KernelOperation[] {
  const failed = outcome.kind === 'failed' ? outcome : null;
  return program.slice(0, outcome.ns.length).map((operation, index) => ({
    kind: 'operation',
    owner: operation.owner,
    op: operation.op,
    index,
    total: program.length,
    ns: outcome.ns[index] ?? 0,
    errno: failed?.op === index ? errnoSymbol(failed.errno) : null,
    detail: describe(operation),
  }));
}
