import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STDOUT } from '../../api/streams.ts';
import type { LogBatch, LogDriver, LogRequest } from '../../drivers/log/driver.ts';
import { toRFC3339 } from '../../std/timestamp.ts';

export interface Entry {
  readonly stream: 'stdout' | 'stderr';
  readonly time: bigint;
  readonly line: string;
}

/** 2024-05-01T10:00:00Z */
export const START = 1_714_557_600_000_000_000n;
export const SECOND = 1_000_000_000n;

export const entry = (line: string, at = 0, stream: Entry['stream'] = 'stdout'): Entry => ({
  stream,
  time: START + BigInt(at) * SECOND,
  line,
});

/** As the monitor writes it. */
export function asJson({ stream, time, line }: Entry): Buffer {
  return Buffer.from(`${JSON.stringify({ log: line, stream, time: toRFC3339(time) })}\n`);
}

export function asLocal({ stream, time, line }: Entry): Buffer {
  const isWhole = line.endsWith('\n');
  const text = Buffer.from(isWhole ? line.slice(0, -1) : line);
  const head = Buffer.alloc(14);
  head.writeUInt32LE(text.length);
  head[4] = stream === 'stdout' ? 1 : 2;
  head[5] = isWhole ? 0 : 1;
  head.writeBigUInt64LE(time, 6);
  return Buffer.concat([head, text, head.subarray(0, 4)]);
}

export function* entriesOf(batch: LogBatch): Generator<Entry> {
  for (let index = 0; index < batch.length; index++) {
    yield {
      stream: batch.streams[index] === STDOUT ? 'stdout' : 'stderr',
      time: BigInt(batch.seconds[index] ?? 0) * SECOND + BigInt(batch.nanos[index] ?? 0),
      line: batch.bytes.toString('utf8', index === 0 ? 0 : batch.ends[index - 1], batch.ends[index]),
    };
  }
}

export interface Asked extends Partial<LogRequest> {
  /** Called with all that was read so far, after every batch. */
  readonly onRead?: (entries: readonly Entry[]) => void | Promise<void>;
}

export async function readAll(driver: LogDriver, path: string, asked: Asked = {}): Promise<Entry[]> {
  const request: LogRequest = {
    tail: 'all',
    since: null,
    until: null,
    follow: false,
    ended: Promise.resolve(),
    signal: new AbortController().signal,
    ...asked,
  };
  const entries: Entry[] = [];
  for await (const batch of driver.read?.(path, request) ?? []) {
    for (const each of entriesOf(batch)) entries.push(each);
    await asked.onRead?.(entries);
  }
  return entries;
}

/** A folder with a log that grows and is rotated as a monitor does it. */
export class LogFolder implements AsyncDisposable {
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'test.log');
  }

  static async make(): Promise<LogFolder> {
    return new LogFolder(await mkdtemp(join(tmpdir(), 'g-log-')));
  }

  async append(...parts: readonly (Buffer | string)[]): Promise<void> {
    await appendFile(this.path, Buffer.concat(parts.map((part) => Buffer.from(part))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
