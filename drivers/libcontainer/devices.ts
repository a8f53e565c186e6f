/** The device files of a container (runtime-spec, config-linux.md, "Default Devices" and "Default symbolic links"). */
import { posix } from 'node:path';
import type { OciDevice, OciDeviceRule, OciMount } from '../../api/oci.ts';
import { FLAG, type Operation, SLOT } from './program.ts';

const OWNER = 'exec/devices';
/** stat(2) */
const FILE_TYPE = { c: 0o020000, b: 0o060000, p: 0o010000 } as const;

const node = (path: string, major: number, minor: number): OciDevice => ({
  path,
  type: 'c',
  major,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
});

const DEFAULT_DEVICES: readonly OciDevice[] = [
  node('/dev/null', 1, 3),
  node('/dev/zero', 1, 5),
  node('/dev/full', 1, 7),
  node('/dev/random', 1, 8),
  node('/dev/urandom', 1, 9),
  node('/dev/tty', 5, 0),
];

const LINKS: readonly (readonly [path: string, target: string])[] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
  ['/dev/ptmx', 'pts/ptmx'],
];

const rule = (type: 'c' | 'b', major: number | null, minor: number | null, access: string): OciDeviceRule => ({
  allow: true,
  type,
  major,
  minor,
  access,
});

/**
 * What every container may use beside what its spec allows: the files above, terminals, tun; and any file may be made,
 * if not opened, so that archives with device files can be unpacked.
 */
export const DEFAULT_DEVICE_RULES: readonly OciDeviceRule[] = [
  rule('c', null, null, 'm'),
  rule('b', null, null, 'm'),
  ...DEFAULT_DEVICES.map((device) => rule('c', device.major, device.minor, 'rwm')),
  rule('c', 5, 1, 'rwm'),
  rule('c', 5, 2, 'rwm'),
  rule('c', 136, null, 'rwm'),
  rule('c', 10, 200, 'rwm'),
];

/** Makes the device files, unless the container's /dev is somebody else's: a bind is left as it is. */
export function deviceOperations(devices: readonly OciDevice[], mounts: readonly OciMount[]): Operation[] {
  if (mounts.some((mount) => posix.normalize(mount.destination) === '/dev' && mount.type === 'bind')) return [];
  const asked = new Set(devices.map((device) => device.path));
  const nodes = [...DEFAULT_DEVICES.filter((device) => !asked.has(device.path)), ...devices];
  return [
    ...nodes.map(nodeOperation),
    ...LINKS.map(
      ([path, target]): Operation => ({
        op: 'symlink_beneath',
        owner: OWNER,
        root: SLOT.rootfs,
        path,
        target,
        flags: 0,
      }),
    ),
  ];
}

function nodeOperation(device: OciDevice): Operation {
  const { path, major, minor, uid, gid } = device;
  const mode = FILE_TYPE[device.type] | device.fileMode;
  const flags = FLAG.createDir;
  return { op: 'mknod_beneath', owner: OWNER, root: SLOT.rootfs, path, mode, major, minor, uid, gid, flags };
}
