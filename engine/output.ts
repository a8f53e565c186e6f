/**
 * A job's stdout or stderr: what is written goes to every destination, in the order of writing, at once. Early Docker's
 * `engine.Output`, with bounds.
 *
 * Each destination has a queue of its own. `write` waits (back-pressure) while no destination has room. One that is full
 * while another has room is stalled: it is cut off with an error, so that a reader who sleeps never holds the others.
 */
export interface Destination {
  /** Takes a chunk, in order. False: no more for now; `drained` says when. */
  write(chunk: Buffer): boolean;
  drained(): Promise<void>;
  /** The output has ended, or this destination is cut off (`error`). Not called on a destination that is only lent. */
  end(error?: Error): void;
}

export class Output {
  readonly #destinations = new Set<Destination>();
  #isUsed = false;
  #isClosed = false;

  /** From now on `destination` gets what is written. Returns how to take it away again. */
  add(destination: Destination): () => void {
    this.#destinations.add(destination);
    return () => this.#destinations.delete(destination);
  }

  /** True once anything was written. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Resolves when more may be written. With no destination, what is written is gone. */
  async write(data: Buffer | string): Promise<void> {
    if (this.#isClosed) return;
    this.#isUsed = true;
    const chunk = typeof data === 'string' ? Buffer.from(data) : data;
    const full: Destination[] = [];
    let roomy = 0;
    for (const destination of this.#destinations) {
      if (destination.write(chunk)) roomy++;
      else full.push(destination);
    }
    if (full.length === 0 || roomy > 0) return;
    await Promise.race(full.map((destination) => destination.drained()));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const destination of this.#destinations) destination.end();
    this.#destinations.clear();
  }
}
