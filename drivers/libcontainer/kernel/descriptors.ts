import { binding } from './binding.ts';
import { checked, checkedNumber } from './call.ts';

/** open(2); node:fs does not name it. */
export const O_PATH = 0o10000000;

/** open(2), close-on-exec. For files of the daemon's own, and short: what may wait goes to `openOnPool`. */
export function open(path: string, flags: number, mode = 0o600): number {
  return checkedNumber('open', [path, flags], binding().sync.open(path, flags, mode));
}

export async function openOnPool(path: string, flags: number, mode = 0o600): Promise<number> {
  return checkedNumber('open', [path, flags], await binding().pool.open(path, flags, mode));
}

/** close(2). */
export function close(fd: number): void {
  checked('close', [fd], binding().sync.close(fd));
}

/** A descriptor that is closed at the end of its block. */
export function closing(fd: number): Disposable {
  return { [Symbol.dispose]: () => close(fd) };
}

/** flock(2), LOCK_EX, held as long as the descriptor is open. False when another process holds it. */
export function tryLock(fd: number): boolean {
  const outcome = binding().sync.flock(fd);
  if (outcome === -EWOULDBLOCK) return false;
  checked('flock', [fd, 'LOCK_EX|LOCK_NB'], outcome);
  return true;
}
const EWOULDBLOCK = 11;

/**
 * memfd_create(2): an unnamed file in memory that holds `bytes` and is sealed (fcntl(2), F_ADD_SEALS) against any change.
 * Open for reading, at offset 0. `name` shows in /proc only.
 */
export function sealedFile(name: string, bytes: Uint8Array): number {
  return checkedNumber('memfd_create', [name], binding().sync.memfd(name, bytes, 0));
}

/** The same for a program: to be run by `spawn({ executable })`, and out of reach of whoever runs under it. */
export function sealedExecutable(name: string, bytes: Uint8Array): number {
  return checkedNumber('memfd_create', [name, 'MFD_EXEC'], binding().sync.memfd(name, bytes, 1));
}
