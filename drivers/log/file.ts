import { type FileHandle, open } from 'node:fs/promises';
import { hasErrno } from '../../std/errno.ts';
import { BatchBuilder, type LogWindow } from './batch.ts';
import type { LogFormat } from './format.ts';

const BLOCK_BYTES = 128 * 1024;
/** What the search for one entry may hold at a time. */
const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

/** One log file, open: still readable when a rotation has renamed or removed it. */
export class LogFile {
  readonly inode: bigint;
  readonly #handle: FileHandle;
  readonly #format: LogFormat;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(handle: FileHandle, inode: bigint, format: LogFormat) {
    this.#handle = handle;
    this.inode = inode;
    this.#format = format;
  }

  /** Null where there is no such file. */
  static async open(path: string, format: LogFormat): Promise<LogFile | null> {
    const handle = await open(path, 'r').catch(ignoreMissing);
    if (handle === null) return null;
    try {
      return new LogFile(handle, (await handle.stat({ bigint: true })).ino, format);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Reading goes on at an entry that begins at `offset`. */
  seek(offset: number): void {
    this.#position = offset;
    this.#rest = Buffer.alloc(0);
  }

  /** The entries from here to byte `end` of the file, or to its present end. Once again for those that came since. */
  async *entries(window: LogWindow, end = Number.MAX_SAFE_INTEGER): AsyncGenerator<BatchBuilder> {
    if ((await this.size()) < this.#position) this.seek(0);
    for (;;) {
      const wanted = Math.min(BLOCK_BYTES, end - this.#position);
      const block = await this.#more(wanted);
      if (block === null) return;
      const batch = this.#decode(block, window, false);
      if (batch.length > 0 || batch.isPast) yield batch;
    }
  }

  /** What a torn end still holds, once nothing more can come. */
  leftover(window: LogWindow): BatchBuilder {
    return this.#decode(this.#rest, window, true);
  }

  /** Where the last `count` entries of the first `size` bytes begin, and how many there are. */
  async tail(count: number, size: number): Promise<{ offset: number; found: number }> {
    let end = size;
    let found = 0;
    let step = BLOCK_BYTES;
    while (found < count && end > 0) {
      const start = Math.max(0, end - step);
      const block = await this.#at(start, end - start);
      let entry = block.length;
      while (found < count) {
        const before = this.#format.previous(block, entry, start === 0);
        if (before < 0) break;
        entry = before;
        found++;
      }
      const isStuck = entry === block.length;
      if (isStuck && (start === 0 || step >= MAX_BLOCK_BYTES)) break;
      step = isStuck ? step * 4 : BLOCK_BYTES;
      end = start + entry;
    }
    return { offset: found === 0 ? size : end, found };
  }

  /**
   * An offset with no entry of the window before it, found by halving: a log is in the order of time. (Where the clock
   * was set back, what was written before that may be missed.)
   */
  async seekSince(window: LogWindow, size: number): Promise<void> {
    let low = 0;
    let high = size;
    while (high - low > BLOCK_BYTES) {
      const middle = low + Math.floor((high - low) / 2);
      const block = await this.#at(middle, BLOCK_BYTES);
      const aligned = this.#format.align(block);
      const isBefore = aligned < 0 ? null : this.#firstIsBefore(block.subarray(aligned), window);
      if (isBefore === null) break;
      if (isBefore) low = middle + aligned;
      else high = middle;
    }
    this.seek(low);
  }

  #firstIsBefore(block: Buffer, window: LogWindow): boolean | null {
    let before: boolean | null = null;
    const probe = new BatchBuilder(block.length, capacity(block, this.#format), {
      isBefore: (seconds, nanos) => {
        before ??= window.isBefore(seconds, nanos);
        return true;
      },
      isAfter: () => false,
    });
    this.#format.decode(block, probe, false);
    return before;
  }

  async #at(offset: number, length: number): Promise<Buffer> {
    const block = Buffer.allocUnsafe(length);
    const { bytesRead } = await this.#handle.read(block, 0, length, offset);
    return block.subarray(0, bytesRead);
  }

  /** The rest of the last block with up to `wanted` more bytes behind it; null at the end. */
  async #more(wanted: number): Promise<Buffer | null> {
    if (wanted <= 0) return null;
    const kept = this.#rest.length;
    const block = Buffer.allocUnsafe(kept + wanted);
    const { bytesRead } = await this.#handle.read(block, kept, wanted, this.#position);
    if (bytesRead === 0) return null;
    this.#rest.copy(block);
    this.#position += bytesRead;
    return block.subarray(0, kept + bytesRead);
  }

  #decode(block: Buffer, window: LogWindow, isEnd: boolean): BatchBuilder {
    const batch = new BatchBuilder(block.length, capacity(block, this.#format), window);
    const done = this.#format.decode(block, batch, isEnd);
    this.#rest = Buffer.from(block.subarray(done));
    return batch;
  }
}

function capacity(block: Buffer, format: LogFormat): number {
  return Math.ceil(block.length / format.minEntry) + 1;
}

export function ignoreMissing(error: unknown): null {
  if (hasErrno(error, 'ENOENT')) return null;
  throw error;
}
