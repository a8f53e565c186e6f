import { existsSync } from 'node:fs';
import { mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The pid in the file, when a process of that number runs and is not this one; null else. */
export async function otherProcessOf(path: string): Promise<number | null> {
  const pid = Number((await readFile(path, 'utf8').catch(() => '')).trim());
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return null;
  return existsSync(`/proc/${pid}`) ? pid : null;
}

/** Writes our pid there; disposing takes the file away. */
export async function writePidFile(path: string): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${process.pid}`, { mode: 0o644 });
  return { [Symbol.asyncDispose]: () => unlink(path).catch(() => {}) };
}
