import { posix } from 'node:path';
import { InvalidParameter } from '../../api/errors.ts';

/** As Go's `path.Clean`: no doubled, trailing or backward parts. */
export function cleanPath(path: string): string {
  return posix.normalize(path).replace(/(.)\/$/, '$1');
}

/** Where something is to be mounted: absolute and not `/`. Fails with InvalidParameter in Docker's words. */
export function mountTarget(path: string): string {
  if (!path.startsWith('/')) throw new InvalidParameter(`invalid mount path: '${path}' mount path must be absolute`);
  if (path.includes('\0')) throw new InvalidParameter(`invalid mount path: '${path}' has a NUL byte`);
  const target = cleanPath(path);
  if (target === '/') throw new InvalidParameter("invalid specification: destination can't be '/'");
  return target;
}
