import { Duplex } from 'node:stream';

export type { Duplex };

/** Two ends of one connection, in memory: what is written at one is read at the other, and an end is seen as an end. */
export function duplexPair(): [Duplex, Duplex] {
  const left = new End();
  const right = new End();
  left.other = right;
  right.other = left;
  return [left, right];
}

class End extends Duplex {
  other: End | null = null;
  #resume: (() => void) | null = null;

  override _read(): void {
    this.#resume?.();
    this.#resume = null;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.other?.receive(chunk, done);
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.other !== null && !this.other.destroyed) this.other.push(null);
    done(error);
  }

  receive(chunk: Buffer, done: () => void): void {
    if (this.push(chunk)) done();
    else this.#resume = done;
  }
}
