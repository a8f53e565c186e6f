import { STDERR, STDOUT } from '../../api/streams.ts';
import type { LogBatch } from '../../drivers/log/driver.ts';
import type { Output } from '../../engine/output.ts';

export interface LogStyle {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly timestamps: boolean;
  /** What stands before each line, as bytes; empty for nothing. */
  readonly details: string;
}

export interface LogOutputs {
  readonly stdout: Output;
  readonly stderr: Output;
}

/**
 * Writes a batch as `docker logs` shows it. Entries of one stream that stand together go out in one piece, so that what
 * is on stdout and what is on stderr stay in order. As in Docker each entry is dressed, also one that is part of a line.
 */
export async function writeLogLines(batch: LogBatch, style: LogStyle, outputs: LogOutputs): Promise<void> {
  const isPlain = !style.timestamps && style.details === '';
  for (let first = 0; first < batch.length; ) {
    const stream = batch.streams[first];
    let next = first + 1;
    while (next < batch.length && batch.streams[next] === stream) next++;
    const bytes = () => (isPlain ? plain(batch, first, next) : dressed(batch, first, next, style));
    if (stream === STDOUT && style.stdout) await outputs.stdout.write(bytes());
    if (stream === STDERR && style.stderr) await outputs.stderr.write(bytes());
    first = next;
  }
}

/** Sorted, escaped as in a URL's query, joined by commas, and a blank: `FOO=bar,tag=web `. */
export function detailsText(attributes: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(attributes)
    .sort()
    .map((name) => `${queryEscape(name)}=${queryEscape(attributes[name] ?? '')}`);
  return `${pairs.join(',')} `;
}

/** Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return Array.from(Buffer.from(text), (byte) => {
    const letter = String.fromCharCode(byte);
    if (/[\w.~-]/.test(letter)) return letter;
    return letter === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function startOf(batch: LogBatch, index: number): number {
  return index === 0 ? 0 : (batch.ends[index - 1] ?? 0);
}

function plain(batch: LogBatch, first: number, next: number): Buffer {
  return batch.bytes.subarray(startOf(batch, first), batch.ends[next - 1]);
}

function dressed(batch: LogBatch, first: number, next: number, style: LogStyle): Buffer {
  const parts: Buffer[] = [];
  const stamp = new Stamp();
  for (let index = first; index < next; index++) {
    const time = style.timestamps ? stamp.text(batch.seconds[index] ?? 0, batch.nanos[index] ?? 0) : '';
    parts.push(Buffer.from(time + style.details), plain(batch, index, index + 1));
  }
  return Buffer.concat(parts);
}

/** RFC 3339 with all nine digits and a blank. The second is worked out once for all the entries in it. */
class Stamp {
  #second = Number.NaN;
  #text = '';

  text(seconds: number, nanos: number): string {
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#text = new Date(seconds * 1000).toISOString().slice(0, 19);
    }
    return `${this.#text}.${String(nanos).padStart(9, '0')}Z `;
  }
}
