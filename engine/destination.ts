/** Where an output goes: a connection, a file, a buffer, the output of another job. */
export interface Destination {
  /** Takes a chunk, in order. False: taken, but no more for now; `drained` says when. */
  write(chunk: Buffer): boolean;
  drained(): Promise<void>;
  /** The output has ended, or this destination is cut off (`error`). Nothing is written after that. */
  end(error?: Error): void;
  /** It only looks on (a tail kept for an answer): the writer never waits for it, nor goes on because of it. */
  readonly isPassive?: boolean;
}

/** Keeps the last `maxBytes` of what is written. */
export class Tail implements Destination {
  readonly isPassive = true;
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #isTruncated = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  write(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > 2 * this.#maxBytes) this.#cut();
    return true;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {}

  /** True once something had to be left out. */
  get isTruncated(): boolean {
    return this.#isTruncated || this.#size > this.#maxBytes;
  }

  get bytes(): Buffer {
    this.#cut();
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #cut(): void {
    const all = Buffer.concat(this.#chunks, this.#size);
    this.#isTruncated ||= all.length > this.#maxBytes;
    const rest = all.subarray(Math.max(0, all.length - this.#maxBytes));
    this.#chunks = [Buffer.from(rest)];
    this.#size = rest.length;
  }
}
