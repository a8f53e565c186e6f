/**
 * Docker's json-file, decoded by hand: a line is `{"log":"…\n","stream":"stdout","time":"…Z"}`, so one pass over
 * its bytes is enough. What is laid out otherwise (attributes, other key order) takes JSON.parse.
 */
import { fromRFC3339 } from '../../std/timestamp.ts';
import type { BatchBuilder } from './batch.ts';
import type { LogFormat } from './format.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE = 0x7d;
const POINT = 0x2e;
const ZULU = 0x5a;
const HEAD = Buffer.from('{"log":"');
const STDOUT_TAIL = Buffer.from('","stream":"stdout","time":"');
const STDERR_TAIL = Buffer.from('","stream":"stderr","time":"');
const TAIL_BYTES = STDOUT_TAIL.length;
/**
 * What follows a text and its quote at the most. An entry is decoded fast where so much is left of the block: the loops
 * need not look for its end then, and never read past it, which would cost them half their speed.
 */
const MARGIN = 64;
/** By the number of digits given: what makes nanoseconds of them. */
const SCALE = [0, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1];
/** `2024-05-01T10:00:00` */
const SECONDS_BYTES = 19;
/** A line that is longer and has no end is damage: 16 KiB of text are at most 96 KiB as JSON. */
const MAX_LINE_BYTES = 1024 * 1024;

/** What one file's decoder remembers: the second it saw last, as text and as a number. */
export class JsonFormat implements LogFormat {
  readonly minEntry = 48;
  readonly #secondText = Buffer.alloc(SECONDS_BYTES);
  #second = 0;
  #nanos = 0;
  /** What #unescape found: where the text ends in the file, and in the batch. */
  #textEnd = 0;
  #filled = 0;

  decode(block: Buffer, batch: BatchBuilder): number {
    let start = 0;
    while (start < block.length) {
      let next = this.#decodeFast(block, start, batch);
      if (next < 0) {
        next = block.indexOf(NEWLINE, start) + 1;
        if (next === 0) break;
        this.#decodeOther(block, start, next - 1, batch);
      }
      start = next;
    }
    return block.length - start > MAX_LINE_BYTES ? block.length : start;
  }

  previous(block: Buffer, end: number, isFileStart: boolean): number {
    const last = end === 0 ? -1 : block.lastIndexOf(NEWLINE, end - 1);
    if (last < 0) return -1;
    const before = last === 0 ? -1 : block.lastIndexOf(NEWLINE, last - 1);
    return before < 0 && !isFileStart ? -1 : before + 1;
  }

  align(block: Buffer): number {
    return block.indexOf(NEWLINE) + 1 || -1;
  }

  /**
   * A line torn by a crash has the next entry right behind it. A quote inside a text is always written as `\"`, so the
   * last head in the line is where a whole entry can begin.
   */
  #decodeOther(block: Buffer, start: number, end: number, batch: BatchBuilder): void {
    if (this.#decodeSlow(block, start, end, batch)) return;
    const head = block.subarray(start, end).lastIndexOf(HEAD);
    if (head <= 0) return;
    const entry = start + head;
    if (this.#decodeFast(block, entry, batch) < 0) this.#decodeSlow(block, entry, end, batch);
  }

  /** An entry laid out as a monitor does, once through. Returns where the next begins, -1 for what is not that. */
  #decodeFast(block: Buffer, start: number, batch: BatchBuilder): number {
    if (start + HEAD.length + MARGIN > block.length) return -1;
    if (!hasAt(block, start, HEAD) || !this.#unescape(block, start + HEAD.length, batch)) return -1;
    const tail = this.#textEnd;
    const isStdout = hasAt(block, tail, STDOUT_TAIL);
    if (!isStdout && !hasAt(block, tail, STDERR_TAIL)) return -1;
    const end = this.#readTime(block, tail + TAIL_BYTES);
    if (end < 0 || block[end] !== QUOTE || block[end + 1] !== BRACE || block[end + 2] !== NEWLINE) return -1;
    batch.add(this.#filled, isStdout, this.#second, this.#nanos);
    return end + 3;
  }

  #decodeSlow(block: Buffer, start: number, end: number, batch: BatchBuilder): boolean {
    const entry = parseEntry(block.toString('utf8', start, end));
    if (entry === null) return false;
    const written = batch.bytes.write(entry.log, batch.size);
    batch.add(batch.size + written, entry.isStdout, entry.seconds, entry.nanos);
    return true;
  }

  /** `2024-05-01T10:00:00[.digits]Z` into #second and #nanos; most entries share their second with the one before. */
  #readTime(block: Buffer, start: number): number {
    let at = start + SECONDS_BYTES;
    if (!hasAt(block, start, this.#secondText)) {
      const instant = fromRFC3339(`${block.toString('latin1', start, at)}Z`);
      if (instant === null) return -1;
      this.#second = Number(instant / 1_000_000_000n);
      block.copy(this.#secondText, 0, start, at);
    }
    let nanos = 0;
    let digits = 0;
    if (block[at] === POINT) {
      for (at++; digits < 9; digits++, at++) {
        const digit = (block[at] ?? 0) - 0x30;
        if (digit < 0 || digit > 9) break;
        nanos = nanos * 10 + digit;
      }
    }
    this.#nanos = nanos * (SCALE[digits] ?? 1);
    return block[at] === ZULU ? at + 1 : -1;
  }

  /** A JSON string as UTF-8 into the batch, up to its quote. False for what no JSON string can be, or has no end here. */
  #unescape(from: Buffer, start: number, batch: BatchBuilder): boolean {
    const to = batch.bytes;
    const end = from.length - MARGIN;
    let out = batch.size;
    let at = start;
    for (; ; at++) {
      if (at >= end) return false;
      const byte = from[at] ?? 0;
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) {
        if (byte < 0x20) return false;
        to[out++] = byte;
        continue;
      }
      const escaped = from[++at] ?? 0;
      if (escaped === 0x75) {
        const last = unicodeEnd(from, at + 1);
        if (last < 0) return false;
        out += to.write(unicodeText(from, at - 1, last), out);
        at = last - 1;
      } else {
        const plain = simpleEscape(escaped);
        if (plain < 0) return false;
        to[out++] = plain;
      }
    }
    this.#textEnd = at;
    this.#filled = out;
    return true;
  }
}

function hasAt(block: Buffer, start: number, wanted: Buffer): boolean {
  for (let at = 0; at < wanted.length; at++) if (block[start + at] !== wanted[at]) return false;
  return true;
}

function simpleEscape(letter: number): number {
  switch (letter) {
    case 0x6e:
      return NEWLINE;
    case 0x74:
      return 0x09;
    case 0x72:
      return 0x0d;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
      return letter;
    default:
      return -1;
  }
}

/** Behind the four digits at `start`, and behind the second half of a surrogate pair if one follows. */
function unicodeEnd(from: Buffer, start: number): number {
  const code = hexAt(from, start);
  if (code < 0) return -1;
  const next = start + 4;
  const isPair = code >= 0xd800 && code < 0xdc00 && from[next] === BACKSLASH && from[next + 1] === 0x75;
  return isPair && hexAt(from, next + 2) >= 0xdc00 ? next + 6 : next;
}

function hexAt(from: Buffer, start: number): number {
  const digits = from.toString('latin1', start, start + 4);
  return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}

/** One or two `\uXXXX`; half a surrogate pair alone becomes U+FFFD when it is written, as in Go. */
function unicodeText(from: Buffer, start: number, end: number): string {
  const codes: number[] = [];
  for (let at = start + 2; at < end; at += 6) codes.push(Number.parseInt(from.toString('latin1', at, at + 4), 16));
  return String.fromCharCode(...codes);
}

function parseEntry(line: string): { log: string; isStdout: boolean; seconds: number; nanos: number } | null {
  if (!line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('log' in value && 'stream' in value && 'time' in value))
      return null;
    const { log, stream, time } = value;
    const instant = typeof time === 'string' ? fromRFC3339(time) : null;
    if (typeof log !== 'string' || (stream !== 'stdout' && stream !== 'stderr') || instant === null) return null;
    const nanos = Number(instant % 1_000_000_000n);
    return { log, isStdout: stream === 'stdout', seconds: Number(instant / 1_000_000_000n), nanos };
  } catch {
    return null;
  }
}
