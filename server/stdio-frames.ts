import { frameHeader, STDERR, STDOUT, SYSTEM_ERROR } from '../api/streams.ts';
import type { Destination } from '../engine/destination.ts';
import type { Outflow } from './outflow.ts';

/**
 * A job's stdout and stderr on one connection: in frames, or as they come where a terminal has made one stream of them.
 * Which of the two is known once the job has accepted (`begin`); what it writes in that very moment waits here.
 */
export class StdioFrames {
  readonly stdout: Destination;
  readonly stderr: Destination;
  readonly #out: Outflow;
  #waiting: { readonly type: number; readonly chunk: Buffer }[] | null = [];
  #isRaw = false;

  constructor(out: Outflow) {
    this.#out = out;
    this.stdout = this.#destination(STDOUT);
    this.stderr = this.#destination(STDERR);
  }

  begin(isRaw: boolean): void {
    this.#isRaw = isRaw;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const { type, chunk } of waiting) this.#write(type, chunk);
  }

  /** Tells the caller of a failure in the midst of the answer: clients print a frame of this type as an error. */
  fail(message: string): void {
    if (this.#isRaw) this.#write(STDERR, Buffer.from(`${message}\r\n`));
    else this.#write(SYSTEM_ERROR, Buffer.from(message));
  }

  #destination(type: number): Destination {
    return {
      write: (chunk) => this.#write(type, chunk),
      drained: () => this.#out.drained(),
      end: (error) => error !== undefined && this.#out.end(error),
    };
  }

  #write(type: number, chunk: Buffer): boolean {
    if (this.#waiting !== null) {
      this.#waiting.push({ type, chunk });
      return true;
    }
    if (this.#isRaw) return this.#out.write(chunk);
    return this.#out.write(Buffer.concat([frameHeader(type, chunk.length), chunk]));
  }
}
