/**
 * The binding: every raw call of the addon on one page. A call answers a number that is not negative, or bytes, or -errno
 * (errno(3)); `sync` makes it in place, for what is short and cannot wait, `pool` on a libuv thread. `native/addon.h` says
 * how a call is added.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Numbers and bytes as the C side hands them out. */
export type Outcome = number | Buffer;

interface AnywhereCalls<Answer> {
  open(path: string, flags: number, mode: number): Answer;
  close(fd: number): Answer;
  flock(fd: number): Answer;
  memfd(name: string, bytes: Uint8Array, executable: number): Answer;
  openBeneath(root: number, path: string, flags: number, mode: number): Answer;
  readFileBeneath(root: number, path: string, limit: number): Answer;
  statBeneath(root: number, path: string, follow: number): Answer;
  mkdirBeneath(root: number, path: string, mode: number): Answer;
  unlinkBeneath(root: number, path: string, flags: number): Answer;
  renameBeneath(root: number, from: string, toRoot: number, to: string, flags: number): Answer;
  readlinkBeneath(root: number, path: string): Answer;
  readdirBeneath(root: number, path: string, limit: number): Answer;
  pidfdOpen(pid: number): Answer;
  pidfdSendSignal(pidfd: number, signal: number): Answer;
  socketPair(): Answer;
  peerCredentials(fd: number): Answer;
  sendFds(fd: number, bytes: Uint8Array, fds: Uint8Array): Answer;
  receiveFds(fd: number, limit: number): Answer;
  listenUnix(path: string, mode: number, backlog: number): Answer;
  sendDatagram(path: string, bytes: Uint8Array): Answer;
  socketIn(namespace: number, domain: number, type: number, protocol: number): Answer;
  netlinkOpen(protocol: number, namespace: number): Answer;
  netlinkTalk(fd: number, messages: Uint8Array): Answer;
}

interface PoolCalls {
  spawn(
    executable: number,
    path: string,
    argv: Uint8Array,
    env: Uint8Array,
    fds: Uint8Array,
    cgroup: number,
  ): Promise<Outcome>;
  runProgram(program: Uint8Array, privateMounts: number): Promise<Outcome>;
  treeSizeBeneath(root: number, path: string): Promise<Outcome>;
}

interface LoopCalls {
  setDumpable(dumpable: number): Outcome;
}

export interface Binding {
  readonly sync: AnywhereCalls<Outcome> & LoopCalls;
  readonly pool: AnywhereCalls<Promise<Outcome>> & PoolCalls;
  /** Calls back once. Code -1 and signal 0: not our child. The descriptor must stay open until then. */
  watch(pidfd: number, ended: (code: number, signal: number) => void): number;
}

/** Where `make` puts its results: beside these sources, whether they run from there or from `dist`. */
export function builtFile(name: string): string {
  const places = [`../native/build/${name}`, `../../../../drivers/libcontainer/native/build/${name}`];
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not built: run \`make -C drivers/libcontainer/native\``);
  return found;
}

/** The addon; Node loads it once, however often it is asked for. */
export function binding(): Binding {
  return loaded.addon;
}

const loaded = {
  get addon(): Binding {
    const addon: Binding = createRequire(import.meta.url)(builtFile('gantry.node'));
    Object.defineProperty(this, 'addon', { value: addon });
    return addon;
  },
};
