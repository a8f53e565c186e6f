/**
 * exec_start — runs the process that exec_create has noted, once.
 *
 *   reads    the exec, its container's record
 *   makes    a process in the container; it goes on when the caller leaves
 *   streams  stdin, stdout, stderr: the process's own. A start that fails is told on stdout, as dockerd does: clients
 *            that are attached look nowhere else, and take the code from exec_inspect
 *   emits    exec_start: COMMAND, exec_die (exitCode), exec_detach (left by the detach keys)
 *   fails    NoSuchExec, Conflict (container not running or paused, exec has run); with `Detach` what the exec driver
 *            says: CommandNotFound, CommandNotExecutable, InvalidParameter
 *   source   Docker Engine API, ExecStart; dockerd's daemon/exec.go
 */
import type { ExecConfig } from '../../api/container.ts';
import { Conflict, EngineError, NoSuchExec } from '../../api/errors.ts';
import type { ExecID } from '../../api/ids.ts';
import type { ExecStartEnv } from '../../api/jobs.ts';
import type { AttachRequest, ExecDriver, ExecRequest, Process } from '../../drivers/exec/driver.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { ExecRecord } from '../../state/execs.ts';
import type { Daemon, JobHandler, RunningJob } from '../daemon.ts';
import { checkActive } from './active.ts';
import { type CarryEnd, type CarryPlan, carry } from './carry.ts';
import { DetachWatch, parseDetachKeys } from './detach-keys.ts';
import { emitContainerEvent } from './event.ts';
import { execCommand } from './exec-command.ts';
import { execProcess } from './exec-process.ts';

type Deps = Pick<Daemon, 'containers' | 'execs' | 'events' | 'host'> & { readonly exec: Pick<ExecDriver, 'exec'> };

/** What a shell answers for a command that cannot be run. */
const CANNOT_RUN = 126;
const NOT_FOUND = 127;

export const execStart =
  (deps: Deps): JobHandler<'exec_start'> =>
  async (job) => {
    const exec = deps.execs.get(job.args[0]);
    const container = deps.containers.find(exec.ContainerID);
    if (container === null) throw new NoSuchExec(job.args[0]);
    checkActive(container, container.ID);
    checkUnused(exec);
    deps.execs.save({ ...exec, State: { status: 'running', pid: 0 } });
    emitContainerEvent(deps.events, container, `exec_start: ${execCommand(exec.Config)}`, { execID: exec.ID });
    if (job.env.Detach) {
      await begin(deps, { exec, container }, stdio(exec.Config, job.env, []));
      return 'detached';
    }
    job.accept({ Tty: job.env.Tty });
    return attached(deps, { exec, container }, job);
  };

interface Subject {
  readonly exec: ExecRecord;
  readonly container: ContainerRecord;
}

interface Begun {
  readonly process: Process;
  /** Resolves when the exec's record has its end. */
  readonly settled: Promise<void>;
}

function checkUnused({ ID, State }: ExecRecord): void {
  if (State.status === 'running') throw new Conflict(`Error: Exec command ${ID} is already running`);
  if (State.status === 'exited') throw new Conflict(`Error: Exec command ${ID} has already run`);
}

/** A client asks for the exit code as soon as its stream ends: the record has it by then. */
async function attached(deps: Deps, subject: Subject, job: RunningJob<'exec_start'>): Promise<'ended' | 'detached'> {
  const { exec, container } = subject;
  const { AttachStdin, AttachStdout, AttachStderr } = exec.Config;
  let carried: Promise<CarryEnd> = Promise.resolve('ended');
  const request: AttachRequest = {
    stdin: AttachStdin,
    stdout: AttachStdout,
    stderr: AttachStderr,
    connected: (attachment) => {
      carried = carry(job, attachment, planFor(exec.Config));
      carried.catch(() => {});
    },
  };
  try {
    const { settled } = await begin(deps, subject, stdio(exec.Config, job.env, [request]));
    const end = await carried;
    if (end === 'ended') await settled;
    if (end === 'keys') emitContainerEvent(deps.events, container, 'exec_detach', { execID: exec.ID });
    return end === 'ended' ? 'ended' : 'detached';
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    await job.stdout.write(`${error.message}\r\n`);
    return 'ended';
  }
}

/** Starts the process. However it ends, or fails to begin, the exec's record says so. */
async function begin(deps: Deps, { exec, container }: Subject, plan: ExecRequest['stdio']): Promise<Begun> {
  const { ID, Config } = exec;
  try {
    const request: ExecRequest = {
      id: ID,
      container: container.ID,
      process: execProcess(container, Config, deps.host),
      user: Config.User || container.Config.User,
      stdio: plan,
    };
    const process = await deps.exec.exec(request);
    deps.execs.save({ ...exec, State: { status: 'running', pid: process.pid } });
    attachProcess(deps, ID, process);
    return { process, settled: settle(deps, { exec, container }, process) };
  } catch (error) {
    const isMissing = error instanceof EngineError && error.exitStatus === NOT_FOUND;
    const exitCode = isMissing ? NOT_FOUND : CANNOT_RUN;
    deps.execs.save({ ...exec, State: { status: 'exited', pid: 0, exitCode } });
    throw error;
  }
}

/** The container may have been removed with all its execs while this one began. */
function attachProcess({ execs }: Deps, id: ExecID, process: Process): void {
  try {
    execs.running(id, process);
  } catch (error) {
    if (!(error instanceof NoSuchExec)) throw error;
  }
}

async function settle({ execs, events }: Deps, { exec, container }: Subject, process: Process): Promise<void> {
  const { code } = await process.exited;
  execs.save({ ...exec, State: { status: 'exited', pid: process.pid, exitCode: code } });
  emitContainerEvent(events, container, 'exec_die', { execID: exec.ID, exitCode: String(code) });
}

function stdio(config: ExecConfig, env: ExecStartEnv, attach: readonly AttachRequest[]): ExecRequest['stdio'] {
  const [height, width] = env.ConsoleSize ?? config.ConsoleSize ?? [];
  const hasSize = config.Tty && height !== undefined && width !== undefined && height > 0 && width > 0;
  return {
    tty: config.Tty,
    openStdin: config.AttachStdin,
    consoleSize: hasSize ? [height, width] : null,
    attach,
  };
}

function planFor({ AttachStdin, Tty, DetachKeys }: ExecConfig): CarryPlan {
  if (!AttachStdin) return { stdin: null };
  return { stdin: { closes: !Tty, keys: Tty ? new DetachWatch(parseDetachKeys(DetachKeys) ?? []) : null } };
}
