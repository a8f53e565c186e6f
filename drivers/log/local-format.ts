/** The binary layout of `local` (ARCHITECTURE.md, 5.4): lengths at both ends, so damage is seen and passed over. */
import type { BatchBuilder } from './batch.ts';
import type { LogFormat } from './format.ts';

/** u32 length, u8 stream, u8 flags, u64 time. */
const HEAD_BYTES = 14;
const FRAME_BYTES = HEAD_BYTES + 4;
const MAX_TEXT_BYTES = 64 * 1024;
const PARTIAL = 1;
const NEWLINE = 0x0a;
const NANOS = 1_000_000_000n;

export class LocalFormat implements LogFormat {
  readonly minEntry = FRAME_BYTES;

  decode(block: Buffer, batch: BatchBuilder, isEnd: boolean): number {
    let at = 0;
    while (at < block.length) {
      const length = entryBytes(block, at);
      if (length > 0) {
        decodeEntry(block, at, length, batch);
        at += length;
      } else if (length === 0 || isEnd) {
        at++;
      } else {
        break;
      }
    }
    return at;
  }

  previous(block: Buffer, end: number, isFileStart: boolean): number {
    for (let last = end; last >= FRAME_BYTES; last--) {
      const start = last - block.readUInt32LE(last - 4) - FRAME_BYTES;
      if (start >= 0 && entryBytes(block, start) === last - start) return start;
      const mayBeginBefore = start < 0 && start >= -MAX_TEXT_BYTES && !isFileStart;
      if (mayBeginBefore && last === end) return -1;
    }
    return -1;
  }

  align(block: Buffer): number {
    for (let at = 0; at + FRAME_BYTES <= block.length; at++) if (entryBytes(block, at) > 0) return at;
    return -1;
  }
}

/** How long the entry is that begins at `at`; 0 when none does; -1 when more bytes are needed to tell. */
function entryBytes(block: Buffer, at: number): number {
  if (at + HEAD_BYTES > block.length) return -1;
  const length = block.readUInt32LE(at);
  const stream = block[at + 4];
  const flags = block[at + 5] ?? 0;
  if (length > MAX_TEXT_BYTES || (stream !== 1 && stream !== 2) || flags > PARTIAL) return 0;
  const end = at + FRAME_BYTES + length;
  if (end > block.length) return -1;
  return block.readUInt32LE(end - 4) === length ? end - at : 0;
}

function decodeEntry(block: Buffer, at: number, length: number, batch: BatchBuilder): void {
  const instant = block.readBigUInt64LE(at + 6);
  let filled = batch.size + block.copy(batch.bytes, batch.size, at + HEAD_BYTES, at + length - 4);
  if (block[at + 5] !== PARTIAL) batch.bytes[filled++] = NEWLINE;
  batch.add(filled, block[at + 4] === 1, Number(instant / NANOS), Number(instant % NANOS));
}
