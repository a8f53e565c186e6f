import type { Readable } from 'node:stream';
import { FrameReader, STDOUT } from '../../api/streams.ts';
import type { Attachment } from '../../drivers/exec/driver.ts';
import type { Output } from '../../engine/output.ts';
import type { DetachWatch } from './detach-keys.ts';

export interface Carrier {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signal: AbortSignal;
}

export interface CarryPlan {
  /** Null: what the caller sends is not for the process. */
  readonly stdin: {
    /** The caller's end of input is the process's. Otherwise the caller leaves by it. */
    readonly closes: boolean;
    /** Keys to leave by; null where there is no terminal. */
    readonly keys: DetachWatch | null;
  } | null;
}

/**
 *   ended  the process has said all
 *   keys   the caller has left by the detach keys
 *   gone   the caller has ended its input where that ends only the attachment, or is no longer there
 */
export type CarryEnd = 'ended' | 'keys' | 'gone';

/**
 * Joins a job's streams with a process's, each at the pace of its reader. Never ends the process. A caller that leaves
 * is let go at once, also while what it sent is still on its way; where its input was the process's, that ends.
 */
export async function carry(job: Carrier, attachment: Attachment, plan: CarryPlan): Promise<CarryEnd> {
  const input = plan.stdin === null ? null : new Input(job.stdin, attachment, plan.stdin);
  const gone = abortOf(job.signal);
  const copied = copyOutput(attachment, job);
  copied.catch(() => {});
  try {
    const end = await Promise.race([copied, gone.promise, ...(input === null ? [] : [input.left])]);
    if (end === 'gone' && plan.stdin?.closes) attachment.closeStdin();
    return end;
  } finally {
    input?.stop();
    gone.forget();
    attachment.detach();
  }
}

function abortOf(signal: AbortSignal): { readonly promise: Promise<CarryEnd>; forget(): void } {
  let onAbort = () => {};
  const promise = new Promise<CarryEnd>((resolve) => {
    onAbort = () => resolve('gone');
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  return { promise, forget: () => signal.removeEventListener('abort', onAbort) };
}

async function copyOutput(attachment: Attachment, { stdout, stderr }: Carrier): Promise<CarryEnd> {
  const frames = new FrameReader();
  try {
    for await (const chunk of attachment.connection) {
      for (const { type, payload } of frames.push(chunk)) await (type === STDOUT ? stdout : stderr).write(payload);
    }
  } catch (error) {
    if (!isClosedByPeer(error, attachment)) throw error;
  }
  return 'ended';
}

/** Input that met the end of the process: the monitor closes when all has been said. */
function isClosedByPeer(error: unknown, { connection }: Attachment): boolean {
  if (error !== connection.errored || !(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'EPIPE' || error.code === 'ECONNRESET';
}

/** What the caller types, on its way to the process. */
class Input {
  /** Resolves when the caller leaves by its keys, or by the end of its input. */
  readonly left: Promise<CarryEnd>;
  readonly #stdin: Readable;
  readonly #attachment: Attachment;
  readonly #plan: NonNullable<CarryPlan['stdin']>;
  #leave: (how: CarryEnd) => void = () => {};
  readonly #onData = (chunk: Buffer) => this.#take(chunk);
  readonly #onEnd = () => this.#end();
  readonly #onRoom = () => this.#stdin.resume();

  constructor(stdin: Readable, attachment: Attachment, plan: NonNullable<CarryPlan['stdin']>) {
    this.#stdin = stdin;
    this.#attachment = attachment;
    this.#plan = plan;
    this.left = new Promise((resolve) => {
      this.#leave = resolve;
    });
    if (stdin.readableEnded) {
      this.#end();
    } else {
      stdin.on('end', this.#onEnd);
      stdin.on('data', this.#onData);
    }
  }

  stop(): void {
    this.#stdin.off('data', this.#onData);
    this.#stdin.off('end', this.#onEnd);
    this.#attachment.connection.off('drain', this.#onRoom);
    this.#stdin.pause();
  }

  #take(chunk: Buffer): void {
    const passed = this.#plan.keys?.pass(Buffer.from(chunk)) ?? { bytes: chunk, isDetached: false };
    const hasRoom = passed.bytes.length === 0 || this.#attachment.writeStdin(passed.bytes);
    if (passed.isDetached) {
      this.stop();
      this.#leave('keys');
    } else if (!hasRoom) {
      this.#stdin.pause();
      this.#attachment.connection.once('drain', this.#onRoom);
    }
  }

  #end(): void {
    if (this.#plan.closes) this.#attachment.closeStdin();
    else this.#leave('gone');
  }
}
