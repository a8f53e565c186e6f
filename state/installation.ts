import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../std/atomic-file.ts';

/** The id of this installation: `<data-root>/id`, made once, kept as long as the data. */
export async function installationID(dataRoot: string): Promise<string> {
  const file = join(dataRoot, 'id');
  const found = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (/^[0-9a-f-]{36}$/.test(found)) return found;
  const id = randomUUID();
  await writeAtomic(file, `${id}\n`);
  return id;
}
