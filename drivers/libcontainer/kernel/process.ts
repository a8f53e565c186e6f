import { endianness } from 'node:os';
import { binding } from './binding.ts';
import { checked, checkedBytes, checkedNumber } from './call.ts';
import { close } from './descriptors.ts';

export interface SpawnRequest {
  /** The program: an open file (execveat(2)) or an absolute path. */
  readonly executable: number | string;
  /** argv, its first word included. */
  readonly argv: readonly string[];
  /** The whole environment, `NAME=value`. */
  readonly env: readonly string[];
  /** `fds[i]` becomes descriptor i of the process; null is /dev/null. Three at least. All others are closed. */
  readonly fds: readonly (number | null)[];
  /** Open for writing: a v1 `tasks` or v2 `cgroup.procs` file that the process enters before it runs. */
  readonly cgroup?: number;
}

export interface Spawned {
  readonly pid: number;
  readonly pidfd: number;
}

/** How a process ended. `lost`: it was not our child, so nobody told us. */
export type Ending =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: number }
  | { readonly kind: 'lost' };

/**
 * clone(2) with CLONE_VFORK, then execve(2): a process in a session of its own, with the signals' defaults, umask 022, and
 * `/` as its folder. It takes 0.1 to 5 ms, however large the daemon, but on a pool thread: every descriptor of the request
 * has to stay open until then. Fails with the errno of execve(2). The caller closes the pidfd, or gives it to `ended`.
 */
export async function spawn(request: SpawnRequest): Promise<Spawned> {
  const { executable, argv, env, fds, cgroup = -1 } = request;
  const [fd, path] = typeof executable === 'number' ? [executable, ''] : [-1, executable];
  const answer = checkedBytes(
    'execve',
    [path || fd, ...argv],
    await binding().pool.spawn(fd, path, words(argv), words(env), descriptorBytes(fds), cgroup),
  );
  return { pid: int32(answer, 0), pidfd: int32(answer, 4) };
}

/** pidfd_open(2). */
export function pidfdOpen(pid: number): number {
  return checkedNumber('pidfd_open', [pid], binding().sync.pidfdOpen(pid));
}

/** pidfd_send_signal(2). False when the process is gone. */
export function sendSignal(pidfd: number, signal: number): boolean {
  const outcome = binding().sync.pidfdSendSignal(pidfd, signal);
  if (outcome === -ESRCH) return false;
  checked('pidfd_send_signal', [pidfd, signal], outcome);
  return true;
}
const ESRCH = 3;

/** prctl(2), PR_SET_DUMPABLE: not dumpable means that no other user's process may ptrace(2) or read our memory. */
export function setDumpable(dumpable: boolean): void {
  checked('prctl', ['PR_SET_DUMPABLE', Number(dumpable)], binding().sync.setDumpable(Number(dumpable)));
}

/**
 * Resolves when the process behind a pidfd has ended, and reaps it (waitid(2), P_PIDFD). One thread sleeps for all of
 * them and does not keep Node running; libuv's own children are not touched. Takes over the pidfd and closes it then.
 */
export function ended(pidfd: number): Promise<Ending> {
  return new Promise((resolve) => {
    const outcome = binding().watch(pidfd, (code, signal) => {
      close(pidfd);
      resolve(endingOf(code, signal));
    });
    checked('epoll_ctl', [pidfd], outcome);
  });
}

function endingOf(code: number, signal: number): Ending {
  if (signal > 0) return { kind: 'killed', signal };
  return code < 0 ? { kind: 'lost' } : { kind: 'exited', code };
}

/** Each word and a NUL behind it. */
function words(list: readonly string[]): Buffer {
  const bad = list.find((word) => word.includes('\0'));
  if (bad !== undefined) throw new TypeError(`NUL byte in ${JSON.stringify(bad)}`);
  return Buffer.from(list.map((word) => `${word}\0`).join(''));
}

function descriptorBytes(fds: readonly (number | null)[]): Uint8Array {
  return new Uint8Array(Int32Array.from(fds, (fd) => fd ?? -1).buffer);
}

function int32(bytes: Buffer, at: number): number {
  return endianness() === 'LE' ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
}
