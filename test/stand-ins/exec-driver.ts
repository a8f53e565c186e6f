import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { PassThrough } from 'node:stream';
import { CommandNotExecutable, CommandNotFound, SystemFailure } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import { SIGKILL } from '../../api/signals.ts';
import { frameHeader, STDERR, STDOUT } from '../../api/streams.ts';
import type {
  Adopted,
  Attachment,
  AttachRequest,
  ExecDriver,
  Exit,
  Process,
  RunRequest,
} from '../../drivers/exec/driver.ts';
import type { Operation } from '../../drivers/libcontainer/program.ts';
import { hasErrno } from '../../std/errno.ts';
import { now, toRFC3339 } from '../../std/timestamp.ts';

/**
 * Containers as plain processes of the host: no namespaces, no rootfs, no monitor. What outlives a daemon is the
 * machine: a driver made on the same machine later adopts what runs on it, and what has ended meanwhile.
 */
export class HostMachine {
  readonly processes = new Map<ContainerID, HostProcess>();

  /** Whatever a test has left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.processes.values()];
    for (const process of all) process.signal(SIGKILL);
    await Promise.all(all.map((process) => process.exited));
  }
}

export class HostExec implements ExecDriver {
  readonly name = 'host';
  /** What ran, in order. */
  readonly requests: RunRequest[] = [];
  readonly #machine: HostMachine;
  #isAlive = true;

  constructor(machine: HostMachine) {
    this.#machine = machine;
  }

  /** Its daemon is dead: nothing that happens on the machine reaches it any more. */
  die(): void {
    this.#isAlive = false;
  }

  async run(request: RunRequest, ready?: Promise<void>): Promise<Process> {
    await ready;
    if (this.#machine.processes.has(request.id)) throw new SystemFailure(`${request.id} was not forgotten`);
    this.requests.push(request);
    const process = await HostProcess.start(request);
    this.#machine.processes.set(request.id, process);
    return this.#seen(process);
  }

  #seen(process: HostProcess): Process {
    return new SeenProcess(process, () => this.#isAlive);
  }

  exec(): Promise<Process> {
    return Promise.reject(new SystemFailure('not in this driver'));
  }

  async program(request: RunRequest): Promise<readonly Operation[]> {
    const { args, env } = request.spec.process;
    return [...request.rootfs, { op: 'execve', owner: 'host', argv: args, env }];
  }

  async adopt(): Promise<Adopted[]> {
    return [...this.#machine.processes].map(([id, process]) => ({
      kind: 'container',
      id,
      outcome: process.exit === null ? { process: this.#seen(process), isFrozen: false } : { exit: process.exit },
    }));
  }

  async forget(id: ContainerID): Promise<void> {
    if (this.#machine.processes.get(id)?.exit === null) throw new SystemFailure(`${id} still runs`);
    this.#machine.processes.delete(id);
  }

  async freeze(id: ContainerID, frozen: boolean): Promise<void> {
    this.#machine.processes.get(id)?.signal(frozen ? constants.signals.SIGSTOP : constants.signals.SIGCONT);
  }

  async pids(id: ContainerID): Promise<number[]> {
    const process = this.#machine.processes.get(id);
    return process === undefined ? [] : [process.pid];
  }
}

/** A process as one daemon sees it, for as long as that lives. */
class SeenProcess implements Process {
  readonly pid: number;
  readonly startedAt: string;
  readonly warnings: readonly string[];
  readonly exited: Promise<Exit>;
  readonly #process: HostProcess;

  constructor(process: HostProcess, isAlive: () => boolean) {
    this.#process = process;
    this.pid = process.pid;
    this.startedAt = process.startedAt;
    this.warnings = process.warnings;
    this.exited = process.exited.then((exit) => (isAlive() ? exit : new Promise(() => {})));
  }

  signal(signo: number): void {
    this.#process.signal(signo);
  }

  resize(): void {}

  attach(request: Omit<AttachRequest, 'connected'>): Promise<Attachment> {
    return this.#process.attach(request);
  }
}

class HostProcess implements Process {
  readonly pid: number;
  readonly startedAt = toRFC3339(now());
  readonly warnings = [];
  readonly exited: Promise<Exit>;
  exit: Exit | null = null;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        const number = signal === null ? 0 : constants.signals[signal];
        this.exit = { code: code ?? 128 + number, oomKilled: false, at: toRFC3339(now()) };
        resolve(this.exit);
      });
    });
  }

  static async start({ spec, stdio }: RunRequest): Promise<HostProcess> {
    const [command = '', ...args] = spec.process.args;
    const variables = spec.process.env.map((entry) => [
      entry.split('=', 1)[0] ?? '',
      entry.slice(entry.indexOf('=') + 1),
    ]);
    const child = spawn(command, args, { env: Object.fromEntries(variables), cwd: '/tmp', stdio: 'pipe' });
    const process = new HostProcess(child);
    for (const request of stdio.attach) request.connected(process.#attach(request));
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(failure(command, error)));
    });
    return process;
  }

  signal(signo: number): void {
    if (this.exit === null) this.#child.kill(signo);
  }

  resize(): void {}

  async attach(request: Omit<AttachRequest, 'connected'>): Promise<Attachment> {
    return this.#attach(request);
  }

  #attach({ stdout, stderr }: Omit<AttachRequest, 'connected'>): Attachment {
    const connection = new PassThrough();
    const forward = (type: number) => (chunk: Buffer) =>
      connection.push(Buffer.concat([frameHeader(type, chunk.length), chunk]));
    if (stdout) this.#child.stdout?.on('data', forward(STDOUT));
    if (stderr) this.#child.stderr?.on('data', forward(STDERR));
    this.#child.once('close', () => connection.push(null));
    return {
      connection,
      writeStdin: (chunk) => this.#child.stdin?.write(chunk) ?? false,
      closeStdin: () => this.#child.stdin?.end(),
      detach: () => connection.destroy(),
    };
  }
}

function failure(command: string, error: unknown): Error {
  const words = `unable to start container process: exec: "${command}": `;
  if (hasErrno(error, 'ENOENT')) return new CommandNotFound(`${words}executable file not found in $PATH: unknown`);
  return new CommandNotExecutable(`${words}permission denied: unknown`);
}
