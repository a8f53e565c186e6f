import { readFile } from 'node:fs/promises';
import type { Machine } from './ps-columns.ts';

/** What ps(1) wants to know of the host; `memory` in bytes. */
export async function machine(memory: number): Promise<Machine> {
  const [stat, uptime, users, groups] = await Promise.all([
    readFile('/proc/stat', 'utf8'),
    readFile('/proc/uptime', 'utf8'),
    names('passwd'),
    names('group'),
  ]);
  return {
    now: Math.floor(Date.now() / 1000),
    bootTime: Number(/^btime (\d+)/m.exec(stat)?.[1] ?? 0),
    uptime: Number.parseFloat(uptime),
    memoryKiB: memory / 1024,
    users,
    groups,
  };
}

/** Of ids, from a file of passwd(5) or group(5); the first that has an id names it. */
async function names(file: 'passwd' | 'group'): Promise<ReadonlyMap<number, string>> {
  const byID = new Map<number, string>();
  const text = await readFile(`/etc/${file}`, 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const [name = '', , id] = line.split(':');
    if (id !== undefined && !byID.has(Number(id))) byID.set(Number(id), name);
  }
  return byID;
}
