/** Drives `gantry-init run` and `exec` as the daemon does: descriptors in, frames over sockets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { FrameReader, frameHeader } from '../../api/streams.ts';
import { encodeProgram } from '../../drivers/libcontainer/encode.ts';
import type { Operation } from '../../drivers/libcontainer/program.ts';

export const FRAME = {
  stdin: 0x00,
  stdout: 0x01,
  stderr: 0x02,
  systemError: 0x03,
  started: 0x10,
  failed: 0x11,
  exited: 0x12,
  state: 0x13,
  signal: 0x20,
  resize: 0x21,
  closeStdin: 0x24,
  helloControl: 0x40,
  helloAttach: 0x41,
} as const;
export const ATTACH = { stdin: 1, stdout: 2, stderr: 4, all: 7 } as const;

/** GANTRY_INIT names another build of it: `make sanitize`. */
export const GANTRY_INIT =
  process.env['GANTRY_INIT'] ??
  fileURLToPath(new URL('../../../drivers/libcontainer/native/build/gantry-init', import.meta.url));

/** A connection to a monitor: frames out, and those that came in, kept. */
export class Peer {
  readonly connection: Duplex;
  readonly frames: { readonly type: number; readonly payload: Buffer }[] = [];
  readonly ended: Promise<void>;
  readonly #reader = new FrameReader();
  #waiters: (() => void)[] = [];

  constructor(connection: Duplex) {
    this.connection = connection;
    connection.on('data', (chunk: Buffer) => {
      this.frames.push(...this.#reader.push(chunk));
      this.#wake();
    });
    this.ended = new Promise((resolve) => connection.once('close', resolve));
    connection.on('error', () => undefined);
    connection.once('end', () => connection.end());
    this.ended.then(() => this.#wake());
  }

  send(type: number, payload: Buffer | string = ''): void {
    const bytes = Buffer.from(payload);
    this.connection.write(Buffer.concat([frameHeader(type, bytes.length), bytes]));
  }

  /** The first frame of that type, waited for. Throws when the connection ends without one. */
  async frame(type: number): Promise<Buffer> {
    return await this.until(() => this.frames.find((frame) => frame.type === type)?.payload);
  }

  async until<T>(found: () => T | undefined): Promise<T> {
    for (;;) {
      const value = found();
      if (value !== undefined) return value;
      if (this.connection.destroyed) throw new Error(`connection ended with ${this.frames.map((each) => each.type)}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  bytes(type: number): Buffer {
    return Buffer.concat(this.frames.filter((frame) => frame.type === type).map((frame) => frame.payload));
  }

  text(type: number = FRAME.stdout): string {
    return this.bytes(type).toString();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

export interface MonitorOptions {
  readonly command?: 'run' | 'exec';
  readonly operations: readonly Operation[];
  readonly options?: Readonly<Record<string, string | number>>;
  /** ATTACH flags, one an attachment that is there from the start. */
  readonly attach?: readonly number[];
  /** Descriptors the monitor inherits; their numbers are 10, 11, … */
  readonly inherit?: readonly number[];
}

export interface Started {
  readonly pid: number;
  readonly at: string;
  readonly ns: readonly number[];
  readonly warnings: readonly { readonly op: number; readonly errno: number }[];
}
export interface Failed {
  readonly op: number;
  readonly errno: number;
  readonly detail: string;
  readonly ns: readonly number[];
}
export interface Exited {
  readonly code: number;
  readonly signal: number;
  readonly oom: boolean;
  readonly at: string;
}

const FIRST_INHERITED = 10;

export class Monitor implements AsyncDisposable {
  readonly folder: string;
  readonly child: ChildProcess;
  readonly control: Peer;
  readonly attachments: readonly Peer[];
  readonly over: Promise<unknown>;

  private constructor(folder: string, child: ChildProcess, attachments: number) {
    this.folder = folder;
    this.child = child;
    this.control = new Peer(duplex(child, 4));
    this.attachments = Array.from({ length: attachments }, (_, i) => new Peer(duplex(child, 5 + i)));
    this.over = once(child, 'exit');
  }

  static async start(request: MonitorOptions): Promise<Monitor> {
    const folder = await mkdtemp('/tmp/g-mon-');
    const program = path.join(folder, 'program');
    await writeFile(program, encodeProgram(request.operations));
    const fd = openSync(program, 'r');
    const attach = request.attach ?? [];
    const pipes = attach.map((): 'pipe' => 'pipe');
    const padding = Array.from({ length: FIRST_INHERITED - 5 - attach.length }, (): 'ignore' => 'ignore');
    const options = Object.entries({ tty: 0, stdin: 0, log: 'none', ...request.options })
      .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
      .join(',');
    const words = [folder, '3', '4', options, ...attach.map((flags, i) => `${5 + i}:${flags}`)];
    try {
      const stdio: ('ignore' | 'inherit' | 'pipe' | number)[] = ['ignore', 'ignore', 'inherit', fd, 'pipe'];
      const child = spawn(GANTRY_INIT, [request.command ?? 'run', ...words], {
        stdio: [...stdio, ...pipes, ...padding, ...(request.inherit ?? [])],
        env: sanitizerEnv(),
        detached: true,
      });
      return new Monitor(folder, child, attach.length);
    } finally {
      closeSync(fd);
    }
  }

  async started(): Promise<Started> {
    const frame = await this.control.until(() =>
      this.control.frames.find(({ type }) => type === FRAME.started || type === FRAME.failed),
    );
    if (frame.type === FRAME.failed) throw new Error(`program failed: ${frame.payload}`);
    return JSON.parse(frame.payload.toString());
  }

  async failed(): Promise<Failed> {
    return JSON.parse((await this.control.frame(FRAME.failed)).toString());
  }

  async exited(): Promise<Exited> {
    await this.started();
    return JSON.parse((await this.control.frame(FRAME.exited)).toString());
  }

  signal(signo: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(signo);
    this.control.send(FRAME.signal, payload);
  }

  /** Connects to the monitor's socket, as a daemon does that was not there from the start. */
  async connect(hello: number, flags?: number): Promise<Peer> {
    const socket = connect(path.join(this.folder, 'sock'));
    await once(socket, 'connect');
    const peer = new Peer(socket);
    peer.send(hello, flags === undefined ? '' : Buffer.of(flags));
    return peer;
  }

  async read(name: string): Promise<string> {
    return await readFile(path.join(this.folder, name), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await this.over;
    await rm(this.folder, { recursive: true, force: true });
  }
}

function duplex(child: ChildProcess, index: number): Duplex {
  const stream = child.stdio[index];
  if (!(stream instanceof Duplex)) throw new Error(`no socket at ${index}`);
  return stream;
}

/** An environment is for sanitizers only: the daemon gives none. */
function sanitizerEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (/^.SAN_OPTIONS$/.test(name) ? [[name, value ?? '']] : [])),
  );
}
