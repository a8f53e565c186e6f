/** The device files that a container is to have: read from the host's /dev each time it starts. */
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostConfig } from '../../api/container.ts';
import { SystemFailure } from '../../api/errors.ts';
import type { OciDevice } from '../../api/oci.ts';

/** Folders and files of /dev that every container has of its own. */
const OWN = new Set(['pts', 'shm', 'fd', 'mqueue', 'console', '.lxc', '.lxd-mounts', '.udev']);
const S_IFMT = 0o170000;
const TYPES: ReadonlyMap<number, OciDevice['type']> = new Map([
  [0o020000, 'c'],
  [0o060000, 'b'],
  [0o010000, 'p'],
]);

/** Fails with SystemFailure, in Docker's words, for a device that is not there. */
export async function devicesOf({ Devices, Privileged }: HostConfig): Promise<OciDevice[]> {
  const asked = await Promise.all(
    (Devices ?? []).map((mapping) => mapped(mapping.PathOnHost, mapping.PathInContainer)),
  );
  const own = asked.flat();
  if (!Privileged) return own;
  const named = new Set(own.map((device) => device.path));
  const all = await below('/dev', '/dev');
  return [...own, ...all.filter((device) => !named.has(device.path))];
}

async function mapped(source: string, target: string): Promise<OciDevice[]> {
  const failed = (why: string) =>
    new SystemFailure(`error gathering device information while adding custom device "${source}": ${why}`);
  const found = await stat(source).catch(() => null);
  if (found === null) throw failed('no such file or directory');
  if (found.isDirectory()) return below(source, target || source);
  const device = deviceAt(target || source, found);
  if (device === null) throw failed('not a device node');
  return [device];
}

async function below(folder: string, target: string): Promise<OciDevice[]> {
  const entries = await readdir(folder).catch(() => []);
  const wanted = folder === '/dev' ? entries.filter((name) => !OWN.has(name)) : entries;
  const devices = await Promise.all(
    wanted.map(async (name) => {
      const found = await lstat(join(folder, name)).catch(() => null);
      if (found === null) return [];
      if (found.isDirectory()) return below(join(folder, name), join(target, name));
      return deviceAt(join(target, name), found) ?? [];
    }),
  );
  return devices.flat();
}

function deviceAt(path: string, { mode, rdev, uid, gid }: Awaited<ReturnType<typeof stat>>): OciDevice | null {
  const type = TYPES.get(Number(mode) & S_IFMT);
  if (type === undefined) return null;
  const device = Number(rdev);
  return {
    path,
    type,
    major: (device >>> 8) & 0xfff,
    minor: (device & 0xff) | ((device >>> 12) & 0xfff00),
    fileMode: Number(mode) & 0o777,
    uid: Number(uid),
    gid: Number(gid),
  };
}
