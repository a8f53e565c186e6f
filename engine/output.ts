import { Writable } from 'node:stream';
import type { Destination } from './destination.ts';
import { Lane, Stalled } from './lane.ts';

/**
 * A job's stdout or stderr: what is written goes to every destination, in the order of writing. Early Docker's
 * `engine.Output`, with bounds.
 *
 * The fastest destination sets the pace: `write` waits (back-pressure) until one of them has room. What the others have
 * no room for waits in a queue of their own; one that falls behind by 1 MiB is cut off with an error, so that a reader
 * who sleeps never holds the others. A destination that throws is let go of, too.
 */
export class Output {
  readonly #lanes = new Set<Lane>();
  readonly #signal: AbortSignal | null;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  /** A `write` that waits rejects with the reason of `signal` when that is raised. */
  constructor(signal: AbortSignal | null = null) {
    this.#signal = signal;
  }

  /** From now on `destination` gets what is written. Returns how to take it away again, without ending it. */
  add(destination: Destination): () => void {
    const lane = new Lane(destination, () => this.#wakeAll());
    if (this.#isClosed) lane.end();
    else this.#lanes.add(lane);
    return () => {
      this.#lanes.delete(lane);
      this.#wakeAll();
    };
  }

  /**
   * Resolves when more may be written. With no destination, or once closed, what is written is gone. The chunk is kept
   * by reference: it must not be changed afterwards.
   */
  async write(data: Buffer | string): Promise<void> {
    if (!this.offer(typeof data === 'string' ? Buffer.from(data) : data)) await this.room();
  }

  /** As `write`, without waiting. False: taken, but no more for now; `room` says when. */
  offer(chunk: Buffer): boolean {
    if (this.#isClosed || chunk.length === 0) return true;
    for (const lane of this.#lanes) lane.push(chunk);
    const hasRoom = this.#hasRoom();
    for (const lane of this.#lanes) {
      if (hasRoom && lane.isStalled) lane.end(new Stalled());
      if (lane.isGone) this.#lanes.delete(lane);
    }
    return hasRoom;
  }

  /** Resolves when one destination has room, or none is left. */
  async room(): Promise<void> {
    while (!this.#isClosed && !this.#hasRoom()) {
      this.#signal?.throwIfAborted();
      await this.#woken();
    }
  }

  /** Ends every destination, each after what still waits for it. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#lanes) lane.end();
    this.#lanes.clear();
    this.#wakeAll();
  }

  /** A Node stream that writes into this output, for `pipeline`. Its end does not close the output. */
  writable(): Writable {
    return new Writable({
      write: (chunk: Buffer | string, _encoding, done) => {
        this.write(chunk).then(() => done(), done);
      },
    });
  }

  /** This output as a destination of another. Whoever is lent it never closes it. */
  lend(): Destination {
    return { write: (chunk) => this.offer(chunk), drained: () => this.room(), end: () => {} };
  }

  #hasRoom(): boolean {
    let isFull = false;
    for (const lane of this.#lanes) {
      if (lane.isPassive || lane.isGone) continue;
      if (lane.hasRoom) return true;
      isFull = true;
    }
    return !isFull;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#signal?.addEventListener('abort', wake, { once: true });
      this.#waiting.push(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
