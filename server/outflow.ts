import type { Writable } from 'node:stream';

/** Bytes that may wait for a slow reader before the writer is asked to wait too. */
const HIGH_WATER_BYTES = 64 * 1024;

/**
 * The body of a long answer. A job writes into it from its first instant (it is a Destination, `engine/destination.ts`); what
 * comes before the headers are out waits here, and from then on goes straight to the connection. When the reader does
 * not keep up, `write` says false and `drained` tells when there is room again.
 */
export class Outflow {
  #target: Writable | null = null;
  #beforeEnd: () => unknown = () => {};
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #end: { readonly error: Error | undefined } | null = null;
  #isClosed = false;
  #wake: (() => void)[] = [];
  /** Resolves when the first byte is written. */
  readonly begun: Promise<void>;
  #begin: () => void = () => {};
  readonly #closed: Promise<void>;
  #close: () => void = () => {};

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    this.#closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  write(chunk: Buffer): boolean {
    if (this.#isClosed || this.#end !== null) return true;
    this.#begin();
    if (this.#target !== null) return this.#target.write(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    return this.#waitingBytes < HIGH_WATER_BYTES;
  }

  /** Resolves when there is room, or when nobody reads any more. */
  drained(): Promise<void> {
    if (this.#isClosed || (this.#target !== null && !this.#target.writableNeedDrain)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake.push(resolve);
    });
  }

  /** The answer is whole; with an error: it is not, and the connection is cut so that the reader can tell. */
  end(error?: Error): void {
    if (this.#end !== null) return;
    this.#end = { error };
    if (this.#target !== null) this.#finish(this.#target);
  }

  /** Resolves when the connection is done with: all was sent, or the reader left. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** For the server: the headers are out, from now on bytes go to `target`. `beforeEnd` is called when all is written. */
  connect(target: Writable, beforeEnd: () => unknown = () => {}): void {
    this.#target = target;
    this.#beforeEnd = beforeEnd;
    target.on('drain', () => this.#wakeAll());
    target.once('close', () => this.#leave());
    target.once('finish', () => this.#close());
    for (const chunk of this.#waiting) target.write(chunk);
    this.#waiting = [];
    if (target.destroyed) this.#leave();
    else if (this.#end !== null) this.#finish(target);
    else if (!target.writableNeedDrain) this.#wakeAll();
  }

  /** For the server: there will be no connection. */
  abandon(): void {
    this.#waiting = [];
    this.#leave();
  }

  #finish(target: Writable): void {
    if (this.#end?.error !== undefined) {
      target.destroy();
      return;
    }
    this.#beforeEnd();
    target.end();
  }

  #leave(): void {
    this.#isClosed = true;
    this.#wakeAll();
    this.#close();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
