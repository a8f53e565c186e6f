import { STDERR, STDOUT } from '../../api/streams.ts';
import type { LogBatch } from './driver.ts';

const NANOS = 1_000_000_000n;

/** The bounds of what a reader wants, as numbers that compare without an allocation. */
export interface LogWindow {
  isBefore(seconds: number, nanos: number): boolean;
  isAfter(seconds: number, nanos: number): boolean;
}

export class TimeWindow implements LogWindow {
  readonly #since: readonly [seconds: number, nanos: number] | null;
  readonly #until: readonly [seconds: number, nanos: number] | null;

  constructor(since: bigint | null, until: bigint | null) {
    this.#since = since === null ? null : split(since);
    this.#until = until === null ? null : split(until);
  }

  isBefore(seconds: number, nanos: number): boolean {
    const since = this.#since;
    return since !== null && (seconds < since[0] || (seconds === since[0] && nanos < since[1]));
  }

  isAfter(seconds: number, nanos: number): boolean {
    const until = this.#until;
    return until !== null && (seconds > until[0] || (seconds === until[0] && nanos > until[1]));
  }
}

/**
 * A batch in the making. A decoder writes an entry's bytes at `size` of `bytes` and then calls `add`; entries outside
 * the window are forgotten there. `isPast` is true once an entry after the window was seen: no more is wanted then.
 */
export class BatchBuilder implements LogBatch {
  length = 0;
  /** Bytes used. */
  size = 0;
  isPast = false;
  readonly bytes: Buffer;
  readonly ends: Uint32Array;
  readonly streams: Uint8Array;
  readonly seconds: Float64Array;
  readonly nanos: Uint32Array;
  readonly #window: LogWindow;

  constructor(bytes: number, entries: number, window: LogWindow) {
    this.bytes = Buffer.allocUnsafe(bytes);
    this.ends = new Uint32Array(entries);
    this.streams = new Uint8Array(entries);
    this.seconds = new Float64Array(entries);
    this.nanos = new Uint32Array(entries);
    this.#window = window;
  }

  /** Takes what was written up to `end` as an entry. */
  add(end: number, isStdout: boolean, seconds: number, nanos: number): void {
    if (this.isPast || this.#window.isBefore(seconds, nanos)) return;
    if (this.#window.isAfter(seconds, nanos)) {
      this.isPast = true;
      return;
    }
    const index = this.length++;
    this.ends[index] = end;
    this.streams[index] = isStdout ? STDOUT : STDERR;
    this.seconds[index] = seconds;
    this.nanos[index] = nanos;
    this.size = end;
  }
}

function split(instant: bigint): readonly [number, number] {
  const nanos = ((instant % NANOS) + NANOS) % NANOS;
  return [Number((instant - nanos) / NANOS), Number(nanos)];
}
