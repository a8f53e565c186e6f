import { asError } from '../std/thrown.ts';
import type { Destination } from './destination.ts';

/** Bytes that may wait for one destination while another keeps up. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/** A reader so slow that it fell behind by more than may wait for it. */
export class Stalled extends Error {
  constructor() {
    super(`reader is ${MAX_QUEUED_BYTES} bytes behind the others, and is cut off`);
  }
}

/** One destination of an output, and what waits for it. */
export class Lane {
  readonly isPassive: boolean;
  readonly #destination: Destination;
  /** Called when there is room again, or the destination is gone. */
  readonly #wake: () => void;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isFull = false;
  #isEnding = false;
  #isGone = false;

  constructor(destination: Destination, wake: () => void) {
    this.#destination = destination;
    this.isPassive = destination.isPassive === true;
    this.#wake = wake;
  }

  get hasRoom(): boolean {
    return !this.#isFull;
  }

  /** Further behind than may be while others have room. */
  get isStalled(): boolean {
    return this.#queuedBytes > MAX_QUEUED_BYTES;
  }

  /** It threw or was cut off. */
  get isGone(): boolean {
    return this.#isGone;
  }

  push(chunk: Buffer): void {
    if (this.#isFull) {
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
    } else {
      this.#give(chunk);
    }
  }

  /** After what waits; with an error at once. */
  end(error?: Error): void {
    this.#isEnding = true;
    if (error !== undefined || !this.#isFull) this.#finish(error);
  }

  #give(chunk: Buffer): void {
    if (this.#isGone) return;
    try {
      if (this.#destination.write(chunk)) return;
      this.#isFull = true;
      this.#destination.drained().then(
        () => this.#goOn(),
        (error) => this.#finish(asError(error)),
      );
    } catch (error) {
      this.#finish(asError(error));
    }
  }

  #goOn(): void {
    if (this.#isGone) return;
    this.#isFull = false;
    const waiting = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (waiting.length > 0) this.#give(Buffer.concat(waiting));
    if (this.#isFull) return;
    if (this.#isEnding) this.#finish();
    else this.#wake();
  }

  #finish(error?: Error): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    try {
      this.#destination.end(error);
    } catch {
      // It is let go of in any case.
    }
    this.#wake();
  }
}
