/**
 * The daemon's end of the connections to a monitor (ARCHITECTURE.md, "Monitors").
 *
 *   control     STARTED or FAILED, later EXITED, a system error for the operator; signals and sizes go the other way
 *   attachment  a process's stdio as frames
 */
import { connect, Socket } from 'node:net';
import createDebug from 'debug';
import { type Frame, FrameReader, frameHeader, STDIN, SYSTEM_ERROR } from '../../api/streams.ts';
import { type Decoded, flag, integer, list, nullable, object, optional, text } from '../../std/decode.ts';

const debug = createDebug('gantry:libcontainer:monitor');
const warn = createDebug('gantry:warn:monitor');

const STARTED = 0x10;
const FAILED = 0x11;
const EXITED = 0x12;
const STATE = 0x13;
const SIGNAL = 0x20;
const RESIZE = 0x21;
const CLOSE_STDIN = 0x24;
const HELLO_CONTROL = 0x40;
const HELLO_ATTACH = 0x41;
/** What a monitor has to say is short: times of some thousand operations at the most. */
const MAX_CONTROL_FRAME = 1024 * 1024;

const started = object({
  /** As the host sees it. */
  pid: integer,
  /** `seconds.nanoseconds` since 1970. */
  at: text,
  /** Nanoseconds of every operation that ran. */
  ns: optional(list(integer), []),
  warnings: optional(list(object({ op: integer, errno: integer })), []),
});
const failed = object({
  /** Index of the operation, -1 for what is none. */
  op: integer,
  errno: integer,
  detail: optional(text, ''),
  ns: optional(list(integer), []),
});
const exited = object({ code: integer, signal: nullable(integer), oom: optional(flag, false), at: text });

export type Started = Decoded<typeof started>;
export type Failed = Decoded<typeof failed>;
export type Exited = Decoded<typeof exited>;
export type Outcome = ({ readonly kind: 'started' } & Started) | ({ readonly kind: 'failed' } & Failed);

/** The content of a monitor's `exit` file. Fails with DecodeError or SyntaxError. */
export function parseExited(json: string): Exited {
  return exited(JSON.parse(json), 'exit');
}

export class Monitor {
  /** How the program went; null when the connection ended before that was told. Never rejects. */
  readonly outcome: Promise<Outcome | null>;
  /** How the process ended; null when the connection ended before that was told. Never rejects. */
  readonly exited: Promise<Exited | null>;
  readonly #socket: Socket;
  readonly #frames = new FrameReader(MAX_CONTROL_FRAME);
  #tellOutcome: (outcome: Outcome | null) => void = () => {};
  #tellExited: (exited: Exited | null) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.outcome = new Promise((resolve) => {
      this.#tellOutcome = resolve;
    });
    this.exited = new Promise((resolve) => {
      this.#tellExited = resolve;
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => debug('control connection: %o', error));
    socket.on('close', () => {
      this.#tellOutcome(null);
      this.#tellExited(null);
    });
  }

  /** Takes over one end of a socket pair; the monitor has the other. */
  static over(fd: number): Monitor {
    return new Monitor(new Socket({ fd, readable: true, writable: true }));
  }

  /** Connects to a monitor that runs already. Fails with ENOENT or ECONNREFUSED when there is none. */
  static async find(path: string): Promise<Monitor> {
    const socket = await connected(path);
    socket.write(frameHeader(HELLO_CONTROL, 0));
    return new Monitor(socket);
  }

  signal(signo: number): void {
    this.#send(SIGNAL, words(signo));
  }

  resize(height: number, width: number): void {
    this.#send(RESIZE, words(height, width));
  }

  /** Lets go of the connection; the monitor goes on. */
  close(): void {
    this.#socket.destroy();
  }

  #send(type: number, payload: Buffer): void {
    if (this.#socket.writable) this.#socket.write(Buffer.concat([frameHeader(type, payload.length), payload]));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.push(chunk)) this.#take(frame);
    } catch (error) {
      debug('not a word of a monitor: %o', error);
      this.#socket.destroy();
    }
  }

  #take({ type, payload }: Frame): void {
    if (type === STARTED || type === STATE)
      this.#tellOutcome({ kind: 'started', ...started(json(payload), 'STARTED') });
    else if (type === FAILED) this.#tellOutcome({ kind: 'failed', ...failed(json(payload), 'FAILED') });
    else if (type === EXITED) this.#tellExited(exited(json(payload), 'EXITED'));
    else if (type === SYSTEM_ERROR) warn('%s', payload.toString());
    else debug('frame of type %d passed over', type);
  }
}

/** Which streams an attachment carries. */
export interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export const streamFlags = ({ stdin, stdout, stderr }: Streams): number =>
  (stdin ? 1 : 0) | (stdout ? 2 : 0) | (stderr ? 4 : 0);

/**
 * A connection to a process's stdio. Frames are read from `connection` itself, at the reader's own pace; when `writeStdin`
 * answers false, `connection` says `drain` as soon as it can take more.
 */
export class MonitorAttachment {
  readonly connection: Socket;

  constructor(connection: Socket) {
    this.connection = connection;
    // A process may end while something is on its way to it.
    connection.on('error', (error) => debug('attachment: %o', error));
  }

  /** Takes over one end of a socket pair. */
  static over(fd: number): MonitorAttachment {
    return new MonitorAttachment(new Socket({ fd, readable: true, writable: true }));
  }

  /** Connects to a monitor that runs already. Fails with ENOENT or ECONNREFUSED when there is none. */
  static async find(path: string, streams: Streams): Promise<MonitorAttachment> {
    const socket = await connected(path);
    socket.write(Buffer.concat([frameHeader(HELLO_ATTACH, 1), Buffer.of(streamFlags(streams))]));
    return new MonitorAttachment(socket);
  }

  /** False: wait for `drain` before the next. What comes after the end of the process is dropped. */
  writeStdin(chunk: Buffer): boolean {
    if (!this.connection.writable) return true;
    this.connection.cork();
    this.connection.write(frameHeader(STDIN, chunk.length));
    const goOn = this.connection.write(chunk);
    this.connection.uncork();
    return goOn;
  }

  closeStdin(): void {
    if (this.connection.writable) this.connection.write(frameHeader(CLOSE_STDIN, 0));
  }

  /** What was written still goes out. */
  detach(): void {
    this.connection.destroySoon();
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

const json = (payload: Buffer): unknown => JSON.parse(payload.toString());

function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, index) => {
    bytes.writeUInt32BE(number, 4 * index);
  });
  return bytes;
}
