import { statfs } from 'node:fs/promises';

/** statfs(2)'s f_type, and Docker's word for it. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, 'extfs'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0x6969, 'nfs'],
  [0x65735546, 'fuse'],
]);

/** The filesystem that holds `path`, as `docker info` names it. */
export async function filesystemOf(path: string): Promise<string> {
  const { type } = await statfs(path);
  return NAMES.get(type) ?? '<unknown>';
}
