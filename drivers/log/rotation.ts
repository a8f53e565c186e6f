import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ignoreMissing, LogFile } from './file.ts';
import type { LogFormat } from './format.ts';

/** A rotation is a few renames: it is over within milliseconds, or its monitor died in the middle. */
const ATTEMPTS = 20;
const PAUSE_MS = 5;
/** More rotated files than anybody keeps: a bound on descriptors. */
const MAX_FILES = 1000;

/** All files of a log, oldest first, as they stood at one moment: a rotation in between makes it look again. */
export async function openAll(path: string, format: () => LogFormat): Promise<LogFile[]> {
  for (let attempt = 1; ; attempt++) {
    const files = await openPresent(path, format);
    if (files.isWhole || attempt === ATTEMPTS) return files.oldestFirst;
    await Promise.all(files.oldestFirst.map((file) => file.close()));
    await sleep(PAUSE_MS);
  }
}

/**
 * The file that was begun when `current` was full; null while `current` is the newest. Where `current` is itself gone,
 * or there was none yet: the oldest.
 */
export async function openNext(
  path: string,
  current: LogFile | null,
  format: () => LogFormat,
): Promise<LogFile | null> {
  if ((await inodeOf(path)) === (current?.inode ?? null)) return null;
  const files = await openAll(path, format);
  const next = files[files.findIndex((file) => file.inode === current?.inode) + 1] ?? null;
  await Promise.all(files.filter((file) => file !== next).map((file) => file.close()));
  return next;
}

async function openPresent(
  path: string,
  format: () => LogFormat,
): Promise<{ oldestFirst: LogFile[]; isWhole: boolean }> {
  const files: LogFile[] = [];
  const newest = await LogFile.open(path, format());
  if (newest !== null) files.push(newest);
  let number = 1;
  for (; number < MAX_FILES; number++) {
    const file = await LogFile.open(`${path}.${number}`, format());
    if (file === null) break;
    files.unshift(file);
  }
  const isGap = (await inodeOf(`${path}.${number + 1}`)) !== null;
  const isUnchanged = (await inodeOf(path)) === (newest?.inode ?? null);
  const isNewestMissing = newest === null && files.length > 0;
  const isTwice = new Set(files.map((file) => file.inode)).size < files.length;
  return { oldestFirst: files, isWhole: isUnchanged && !isGap && !isNewestMissing && !isTwice };
}

async function inodeOf(path: string): Promise<bigint | null> {
  const found = await stat(path, { bigint: true }).catch(ignoreMissing);
  return found === null ? null : found.ino;
}
