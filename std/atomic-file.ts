import { randomBytes } from 'node:crypto';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrno } from './errno.ts';

const TEMPORARY = /\.[0-9a-f]{8}\.tmp$/;

/**
 * Replaces the file at `path` by `data` so that a crash at any instant leaves the old or the new content, whole:
 * temporary file beside it, fdatasync, rename, fsync of the folder (rename(2), fsync(2)).
 * Temporary names end in `.tmp`; what a crash leaves of them may be deleted.
 */
export async function writeAtomic(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  // While the file is on its way; whether that went well is asked below.
  const opening = open(dirname(path), 'r');
  opening.catch(() => {});
  try {
    await replace(path, data, mode, true);
    await (await opening).sync();
  } finally {
    opening.then((folder) => folder.close()).catch(() => {});
  }
}

/** As `writeAtomic` without waiting for the disk: it outlives the death of this process, but not a power cut. */
export function writeWhole(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  return replace(path, data, mode, false);
}

async function replace(path: string, data: string | Uint8Array, mode: number, isSynced: boolean): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
      if (isSynced) await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/** Deletes what a crash has left in `folder` of the writes above. One that is not there is empty. */
export async function removeTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  await Promise.all(names.filter((name) => TEMPORARY.test(name)).map((name) => unlink(join(folder, name))));
}

/** fsync(2) of a folder: the names in it are on disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
