import { constants } from 'node:fs';
import { binding, type Outcome } from './binding.ts';
import { checked, checkedBytes, checkedNumber } from './call.ts';
import { close, O_PATH, openOnPool } from './descriptors.ts';

export interface BeneathStat {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Type and permissions, as inode(7). */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: bigint;
  /** Bytes. */
  readonly size: number;
  /** Of 512 bytes. */
  readonly blocks: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly ctime: bigint;
}

export type EntryKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'block' | 'character' | 'unknown';
export interface Entry {
  readonly name: string;
  readonly kind: EntryKind;
}

const AT_REMOVEDIR = 0x200;
const KINDS: ReadonlyMap<string, EntryKind> = new Map([
  ['f', 'file'],
  ['d', 'directory'],
  ['l', 'symlink'],
  ['p', 'fifo'],
  ['s', 'socket'],
  ['b', 'block'],
  ['c', 'character'],
]);

/**
 * A tree that is not ours (rootfs, volume, build context), and the only way into it: openat2(2) with RESOLVE_IN_ROOT and
 * RESOLVE_NO_MAGICLINKS below one open folder. Links in the tree, absolute ones too, are followed inside it; what a call
 * makes, removes, renames or reads as a link is never followed. All on pool threads: the tree may be on a slow disk.
 */
export class Beneath implements Disposable {
  readonly fd: number;

  /** Takes over the descriptor of a folder. */
  constructor(fd: number) {
    this.fd = fd;
  }

  /** `root` is a path of the host's, and trusted. */
  static async open(root: string): Promise<Beneath> {
    return new Beneath(await openOnPool(root, O_PATH | constants.O_DIRECTORY));
  }

  /** Gives a descriptor, close-on-exec, the caller's to close. `flags` as open(2) has them. */
  async openFile(path: string, flags: number, mode = 0): Promise<number> {
    const outcome = await binding().pool.openBeneath(this.fd, path, flags, mode);
    return checkedNumber('openat2', [this.fd, path, flags], outcome);
  }

  async openFolder(path: string): Promise<Beneath> {
    return new Beneath(await this.openFile(path, O_PATH | constants.O_DIRECTORY));
  }

  /** Reads a regular file whole; EFBIG when it has more than `limit` bytes, EINVAL when it is a device, pipe or socket. */
  async readFile(path: string, limit: number): Promise<Buffer> {
    return checkedBytes('read', [this.fd, path], await binding().pool.readFileBeneath(this.fd, path, limit));
  }

  /** Follows a link in last place. */
  async stat(path: string): Promise<BeneathStat> {
    return decodeStat(await binding().pool.statBeneath(this.fd, path, 1), this.fd, path);
  }

  async lstat(path: string): Promise<BeneathStat> {
    return decodeStat(await binding().pool.statBeneath(this.fd, path, 0), this.fd, path);
  }

  async mkdir(path: string, mode: number): Promise<void> {
    checked('mkdirat', [this.fd, path], await binding().pool.mkdirBeneath(this.fd, path, mode));
  }

  async unlink(path: string): Promise<void> {
    checked('unlinkat', [this.fd, path], await binding().pool.unlinkBeneath(this.fd, path, 0));
  }

  async rmdir(path: string): Promise<void> {
    checked(
      'unlinkat',
      [this.fd, path, 'AT_REMOVEDIR'],
      await binding().pool.unlinkBeneath(this.fd, path, AT_REMOVEDIR),
    );
  }

  async rename(from: string, to: string, into: Beneath = this): Promise<void> {
    const outcome = await binding().pool.renameBeneath(this.fd, from, into.fd, to, 0);
    checked('renameat2', [this.fd, from, into.fd, to], outcome);
  }

  async readlink(path: string): Promise<string> {
    return checkedBytes('readlinkat', [this.fd, path], await binding().pool.readlinkBeneath(this.fd, path)).toString();
  }

  /** In the folder's own order; EFBIG when there are more than `limit`. */
  async readdir(path: string, limit: number): Promise<Entry[]> {
    const answer = checkedBytes('getdents', [this.fd, path], await binding().pool.readdirBeneath(this.fd, path, limit));
    const words = answer.toString().split('\0').slice(0, -1);
    return words.map((word) => ({ name: word.slice(1), kind: KINDS.get(word.charAt(0)) ?? 'unknown' }));
  }

  /** Bytes that the files of a tree hold, folders not counted, a file with several names once. */
  async treeSize(path: string): Promise<number> {
    return checkedNumber('fstatat', [this.fd, path], await binding().pool.treeSizeBeneath(this.fd, path));
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

function decodeStat(outcome: Outcome, root: number, path: string): BeneathStat {
  const answer = checkedBytes('fstatat', [root, path], outcome);
  const words = new BigInt64Array(answer.buffer.slice(answer.byteOffset, answer.byteOffset + answer.length));
  const at = (index: number) => words[index] ?? 0n;
  return {
    dev: at(0),
    ino: at(1),
    mode: Number(at(2)),
    nlink: Number(at(3)),
    uid: Number(at(4)),
    gid: Number(at(5)),
    rdev: at(6),
    size: Number(at(7)),
    blocks: Number(at(8)),
    mtime: at(9) * 1_000_000_000n + at(10),
    ctime: at(11) * 1_000_000_000n + at(12),
  };
}
