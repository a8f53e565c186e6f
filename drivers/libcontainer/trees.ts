/**
 * Whole trees, handled by `gantry-init` in a confined process each: it holds foreign bytes and names, and a strange one
 * costs that process, not the daemon.
 */
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidParameter, SystemFailure } from '../../api/errors.ts';
import { type Decoded, integer, object, optional, text } from '../../std/decode.ts';
import { hasErrno } from '../../std/errno.ts';
import { errnoSymbol, errnoWords } from './errno.ts';
import type { GantryInit } from './gantry-init.ts';
import { closing } from './kernel/descriptors.ts';
import { type Ending, ended, sendSignal } from './kernel/process.ts';
import { socketPair } from './kernel/sockets.ts';

export interface ExtractOptions {
  /** What a `.wh.` entry becomes: overlayfs' own sign, or the deletion of what is there. */
  readonly whiteouts: 'overlay' | 'delete';
  /** Trees that lie below this one in an overlay, nearest first, as paths beneath the folder open as `root`. */
  readonly lowers?: { readonly root: number; readonly paths: readonly string[] };
  readonly maxEntries?: number;
  /** Of the files' content. */
  readonly maxBytes?: number;
}

export interface TreeCount {
  readonly entries: number;
  /** Of the files' content. */
  readonly bytes: number;
}

const report = object({
  entries: optional(integer, 0),
  bytes: optional(integer, 0),
  why: optional(text, ''),
  errno: optional(integer, 0),
  entry: optional(text, ''),
});
type Report = Decoded<typeof report>;

const SIGKILL = 9;
const STAY_MS = 60_000;
/** A path of 4095 bytes, six bytes for each as JSON, and the words around it. */
const MAX_REPORT_BYTES = 64 * 1024;
/** Failures that are the host's, not the archive's. */
const OF_THE_HOST = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'ENOMEM', 'EROFS', 'EMFILE', 'ENFILE']);

/**
 * Unpacks an uncompressed tar below the folder open (for reading) as `target`; nothing outside of it is reached. Fails with
 * InvalidParameter when the archive is bad or over a bound, with SystemFailure when the host is at fault, with the tar's own
 * error, or with the signal's reason. What is there then is the caller's to remove.
 */
export async function extractTree(
  init: GantryInit,
  target: number,
  tar: Readable,
  options: ExtractOptions,
  signal?: AbortSignal,
): Promise<TreeCount> {
  signal?.throwIfAborted();
  const { lowers } = options;
  const [ours, theirs] = socketPair();
  const input = new Socket({ fd: ours, readable: false, writable: true });
  const words = ['extract', '3', optionWord(options), ...(lowers === undefined ? [] : ['4', ...lowers.paths])];
  const running = run(init, words, [theirs, target, ...(lowers === undefined ? [] : [lowers.root])], signal);
  const fed = pipeline(tar, input).then(
    () => null,
    (error: unknown) => error,
  );
  const [answer, feedError] = await Promise.all([running, fed]);
  // The tar's own failure looks like its end from the other side. That nobody takes it any more is none of its own: who
  // has read enough to refuse it says why.
  if (tar.errored && !hasErrno(tar.errored, 'EPIPE', 'ECONNRESET')) throw tar.errored;
  const count = succeeded(answer, 'Error processing tar file(exit status 1)');
  if (feedError !== null) throw feedError;
  return count;
}

/** Copies what is in the folder open as `source`, and its own attributes, into the empty one open as `target`. */
export async function copyTree(
  init: GantryInit,
  source: number,
  target: number,
  signal?: AbortSignal,
): Promise<TreeCount> {
  signal?.throwIfAborted();
  const answer = await run(init, ['copy', '3', '4'], [null, source, target], signal);
  return succeeded(answer, 'cannot copy a layer');
}

/**
 * Removes `names` and all below them from the folder open as `parent`. What is gone already is no error; one that cannot be
 * removed is, when all others are gone.
 */
export async function removeTrees(init: GantryInit, parent: number, names: readonly string[]): Promise<void> {
  succeeded(await run(init, ['remove', '3', ...names], [null, parent]), 'cannot remove a tree');
}

function optionWord({ whiteouts, maxEntries, maxBytes }: ExtractOptions): string {
  const words = [`whiteouts=${whiteouts}`];
  if (maxEntries !== undefined) words.push(`max_entries=${maxEntries}`);
  if (maxBytes !== undefined) words.push(`max_bytes=${maxBytes}`);
  return words.join(',');
}

/** stdin (ours to close, or null) and the descriptors from 3 on; gives what it said on stdout. */
async function run(
  init: GantryInit,
  words: readonly string[],
  fds: readonly (number | null)[],
  signal?: AbortSignal,
): Promise<Report> {
  const { output, pidfd } = await begin(init, words, fds);
  const kill = () => sendSignal(pidfd, SIGKILL);
  if (signal?.aborted) kill();
  signal?.addEventListener('abort', kill, { once: true });
  // The wait for an end does not keep Node running, and a daemon that is just starting has nothing else that would.
  const stay = setInterval(() => {}, STAY_MS);
  const ending = ended(pidfd).finally(() => {
    clearInterval(stay);
    signal?.removeEventListener('abort', kill);
  });
  const [said, end] = await Promise.all([wordsOf(output), ending]);
  signal?.throwIfAborted();
  if (said === '') throw unheard(words, end);
  const answer = report(JSON.parse(said), 'gantry-init');
  const isGood = end.kind === 'exited' && end.code === 0;
  if (!isGood && answer.why === '' && answer.errno === 0) throw unheard(words, end);
  return answer;
}

/** Its stdout, and the process. However this ends, its stdin is closed here. */
async function begin(init: GantryInit, words: readonly string[], [stdin = null, ...rest]: readonly (number | null)[]) {
  using _stdin = stdin === null ? null : closing(stdin);
  const [ours, theirs] = socketPair();
  using _theirs = closing(theirs);
  const output = new Socket({ fd: ours, readable: true, writable: false });
  try {
    const { pidfd } = await init.spawn(words, [stdin, theirs, null, ...rest]);
    return { output, pidfd };
  } catch (error) {
    output.destroy();
    throw error;
  }
}

/** All that it says; nothing, where that is more than it has to say: it may be under a stranger's command. */
async function wordsOf(output: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of output) {
    size += chunk.length;
    if (size <= MAX_REPORT_BYTES) chunks.push(chunk);
  }
  return size <= MAX_REPORT_BYTES ? Buffer.concat(chunks).toString() : '';
}

/** It dies of its own bounds, or of the host's lack of memory. */
function unheard([name = '']: readonly string[], end: Ending): SystemFailure {
  const how = end.kind === 'killed' ? `was killed by signal ${end.signal}` : 'ended without saying why';
  return new SystemFailure(`gantry-init ${name} ${how}`);
}

function succeeded({ entries, bytes, why, errno: number, entry }: Report, prefix: string): TreeCount {
  if (why === '' && number === 0) return { entries, bytes };
  const words = why === '' ? errnoWords(number) : why;
  const message = entry === '' ? `${prefix}: ${words}` : `${prefix}: ${entry}: ${words}`;
  if (number !== 0 && OF_THE_HOST.has(errnoSymbol(number))) throw new SystemFailure(message);
  throw new InvalidParameter(message);
}
