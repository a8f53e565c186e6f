import { endianness } from 'node:os';
import { binding } from './binding.ts';
import { checked, checkedBytes, checkedNumber } from './call.ts';

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Received {
  /** Empty at the end of the stream. */
  readonly bytes: Buffer;
  /** The receiver's to close. */
  readonly fds: readonly number[];
}

/** socketpair(2): two connected unix stream sockets. */
export function socketPair(): readonly [ours: number, theirs: number] {
  const answer = checkedBytes('socketpair', ['AF_UNIX'], binding().sync.socketPair());
  return [int32(answer, 0), int32(answer, 4)];
}

/** unix(7), SO_PEERCRED: who connected, as of then. */
export function peerCredentials(fd: number): PeerCredentials {
  const answer = checkedBytes('getsockopt', [fd, 'SO_PEERCRED'], binding().sync.peerCredentials(fd));
  return { pid: int32(answer, 0), uid: int32(answer, 4) >>> 0, gid: int32(answer, 8) >>> 0 };
}

/** unix(7), SCM_RIGHTS: passes descriptors along with one byte at least. Gives the number of bytes sent. */
export function sendDescriptors(socket: number, bytes: Uint8Array, fds: readonly number[]): number {
  const list = new Uint8Array(Int32Array.from(fds).buffer);
  return checkedNumber(
    'sendmsg',
    [socket, `SCM_RIGHTS [${fds.join(', ')}]`],
    binding().sync.sendFds(socket, bytes, list),
  );
}

/** recvmsg(2), at most `limit` bytes; waits, on a pool thread, when the socket is a blocking one. */
export async function receiveDescriptors(socket: number, limit: number): Promise<Received> {
  const answer = checkedBytes('recvmsg', [socket], await binding().pool.receiveFds(socket, limit));
  const count = int32(answer, 0);
  const fds = Array.from({ length: count }, (_, index) => int32(answer, 4 + 4 * index));
  return { bytes: answer.subarray(4 + 4 * count), fds };
}

/**
 * A listening unix socket whose file has no more than the permissions `mode` from its first instant, for
 * `net.Server.listen({ fd })`. Node's own would be open to whom the umask lets in until a chmod.
 */
export function listenUnix(path: string, mode: number, backlog = 511): number {
  return checkedNumber('bind', [path], binding().sync.listenUnix(path, mode, backlog));
}

/** One datagram to the unix socket at `path`, or at an abstract name when it begins with `@` (unix(7)); never waits. */
export function sendDatagram(path: string, bytes: Uint8Array): void {
  checked('sendto', [path, bytes.length], binding().sync.sendDatagram(path, bytes));
}

/** socket(2) of another network namespace (setns(2), on a thread that ends in it). */
export async function socketIn(namespace: number, domain: number, type: number, protocol: number): Promise<number> {
  return checkedNumber(
    'socket',
    [`netns ${namespace}`, domain, type, protocol],
    await binding().pool.socketIn(namespace, domain, type, protocol),
  );
}

function int32(bytes: Buffer, at: number): number {
  return endianness() === 'LE' ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
}
