import { Socket } from 'node:net';

/** A stream on a connected descriptor, which it takes over. */
export function connected(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: true });
}
