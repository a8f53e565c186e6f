import { type BatchBuilder, type LogWindow, TimeWindow } from './batch.ts';
import { Changes } from './changes.ts';
import type { LogBatch, LogRequest } from './driver.ts';
import type { LogFile } from './file.ts';
import type { LogFormat } from './format.ts';
import { openAll, openNext } from './rotation.ts';

/** Past what a timer of Node can hold, there is nothing to wait for. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Reading {
  readonly path: string;
  readonly request: LogRequest;
  readonly window: LogWindow;
  readonly format: () => LogFormat;
}

/**
 * Reads a log over all its files, whatever its format. The reader's pace is its own: nothing is read ahead, and a file
 * that was rotated away stays readable until the reader is through with it.
 */
export async function* readLog(path: string, request: LogRequest, format: () => LogFormat): AsyncGenerator<LogBatch> {
  const reading: Reading = { path, request, format, window: new TimeWindow(request.since, request.until) };
  using changes = request.follow ? new Changes(path) : null;
  const files = await openAll(path, format);
  try {
    const size = (await files.at(-1)?.size()) ?? 0;
    await begin(files, size, reading);
    for (const file of files) {
      const isNewest = file === files.at(-1);
      for await (const batch of file.entries(reading.window, isNewest ? size : undefined)) {
        if (batch.length > 0) yield batch;
        if (batch.isPast || request.signal.aborted) return;
      }
      if (isNewest && changes !== null) break;
      yield* nonEmpty(file.leftover(reading.window));
    }
    if (changes !== null) yield* follow(files, reading, changes);
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

/** Puts every file to where reading begins. Docker counts the tail first and then looks at the time. */
async function begin(files: readonly LogFile[], size: number, { request, window }: Reading): Promise<void> {
  let wanted = request.tail;
  for (const file of files.toReversed()) {
    const end = file === files.at(-1) ? size : await file.size();
    if (wanted === 'all') {
      if (request.since !== null) await file.seekSince(window, end);
    } else {
      const { offset, found } = await file.tail(wanted, end);
      file.seek(offset);
      wanted -= found;
    }
  }
}

/** `files` holds what is open: the last of it is read on, and replaced when it is full. */
async function* follow(files: LogFile[], reading: Reading, changes: Changes): AsyncGenerator<LogBatch> {
  const { request, window } = reading;
  let isEnded = false;
  const wake = () => changes.note();
  request.ended.then(() => {
    isEnded = true;
    wake();
  }, wake);
  request.signal.addEventListener('abort', wake, { once: true });
  const deadline = untilTimer(request.until, wake);
  try {
    while (!request.signal.aborted) {
      const isLast = isEnded || isOver(request.until);
      for await (const batch of newEntries(files, reading)) {
        if (batch.length > 0) yield batch;
        if (batch.isPast || request.signal.aborted) return;
      }
      if (isLast) return yield* nonEmpty(files.at(-1)?.leftover(window));
      await changes.next();
    }
  } finally {
    clearTimeout(deadline);
    request.signal.removeEventListener('abort', wake);
  }
}

/** To the end of the newest file. One that was replaced gets no more entries: it is read to its end once more first. */
async function* newEntries(files: LogFile[], { path, window, format }: Reading): AsyncGenerator<BatchBuilder> {
  for (;;) {
    const current = files.at(-1) ?? null;
    if (current !== null) yield* current.entries(window);
    const next = await openNext(path, current, format);
    if (next === null) return;
    files.push(next);
    if (current === null) continue;
    yield* current.entries(window);
    yield current.leftover(window);
    await closeOld(files, next);
  }
}

async function closeOld(files: LogFile[], kept: LogFile): Promise<void> {
  const old = files.filter((file) => file !== kept);
  files.splice(0, files.length, kept);
  await Promise.all(old.map((file) => file.close()));
}

function* nonEmpty(batch: BatchBuilder | undefined): Generator<LogBatch> {
  if (batch !== undefined && batch.length > 0) yield batch;
}

function isOver(until: bigint | null): boolean {
  return until !== null && BigInt(Date.now()) * 1_000_000n > until;
}

function untilTimer(until: bigint | null, wake: () => void): NodeJS.Timeout | undefined {
  if (until === null) return undefined;
  const ms = Number(until / 1_000_000n) - Date.now() + 1;
  return ms > MAX_TIMER_MS ? undefined : setTimeout(wake, Math.max(0, ms)).unref();
}
