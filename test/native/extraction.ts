import { closeSync, constants, openSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { GantryInit } from '../../drivers/libcontainer/gantry-init.ts';
import { type ExtractOptions, extractTree, type TreeCount } from '../../drivers/libcontainer/trees.ts';
import { GANTRY_INIT } from './monitor.ts';

export interface Seen {
  /** Of /proc/<pid>/status. */
  readonly status: Readonly<Record<string, string>>;
  /** What its root folder holds. */
  readonly root: readonly string[];
  /** Its network namespace. */
  readonly network: string;
  readonly descriptors: readonly string[];
}

/** A folder to unpack into, `dest`, between others that nothing may happen to. */
export class Extraction implements AsyncDisposable {
  readonly base: string;
  readonly dest: string;
  readonly #init: GantryInit;
  #before = '';

  private constructor(base: string, init: GantryInit) {
    this.base = base;
    this.dest = join(base, 'dest');
    this.#init = init;
  }

  static async make(): Promise<Extraction> {
    const extraction = new Extraction(await mkdtemp('/tmp/g-tar-'), await GantryInit.load(GANTRY_INIT));
    await mkdir(extraction.dest, { mode: 0o755 });
    for (const name of ['victim', 'dest-evil']) {
      await mkdir(join(extraction.base, name));
      await writeFile(join(extraction.base, name, 'file'), 'canary');
      await chmod(join(extraction.base, name, 'file'), 0o640);
    }
    extraction.#before = await extraction.#census();
    return extraction;
  }

  /** From chunks, or whole. */
  async unpack(
    tar: Buffer | Iterable<Buffer> | AsyncIterable<Buffer>,
    options: Partial<ExtractOptions> = {},
    signal?: AbortSignal,
  ): Promise<TreeCount> {
    const fd = openSync(this.dest, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const source = Readable.from(Buffer.isBuffer(tar) ? [tar] : tar);
      return await extractTree(this.#init, fd, source, { whiteouts: 'delete', ...options }, signal);
    } finally {
      closeSync(fd);
    }
  }

  /** `unpacked`, or why not. */
  async outcome(tar: Buffer | Iterable<Buffer>, options: Partial<ExtractOptions> = {}): Promise<string> {
    const prefix = 'Error processing tar file(exit status 1): ';
    try {
      await this.unpack(tar, options);
      return 'unpacked';
    } catch (error) {
      return String(error instanceof Error ? error.message : error).replace(prefix, '');
    }
  }

  /** What the process is while it waits for more of an archive, of which it has unpacked the first folder. */
  async watch(begin: Buffer): Promise<Seen> {
    const before = await ourChildren();
    const controller = new AbortController();
    let seen: Seen | null = null;
    const { dest } = this;
    async function* source() {
      yield begin;
      while ((await readdir(dest)).length === 0) await setImmediate();
      const [pid = ''] = (await ourChildren()).filter((each) => !before.includes(each));
      seen = await look(pid);
      controller.abort(new Error('seen enough'));
    }
    await this.unpack(source(), {}, controller.signal).catch(() => {});
    if (seen === null) throw new Error('the process was not to be seen');
    return seen;
  }

  /** Whether everything beside `dest` is as it was: names, inodes, contents, modes, owners, times, links. */
  async isUntouchedAround(): Promise<boolean> {
    return (await this.#census()) === this.#before;
  }

  async read(path: string): Promise<string> {
    return await readFile(join(this.dest, path), 'utf8');
  }

  /** Every name below `dest`, sorted. */
  async names(): Promise<string[]> {
    return (await namesBelow(this.dest)).sort();
  }

  async #census(): Promise<string> {
    const lines: string[] = [];
    const names = [...(await namesBelow(this.base, ['dest'])), '.'];
    for (const name of names.sort()) {
      const path = join(this.base, name);
      const stat = await lstat(path);
      const { mode, uid, gid, ino, nlink, size, mtimeMs, ctimeMs } = stat;
      const content = stat.isFile() ? await readFile(path, 'utf8') : '';
      lines.push([name, mode, uid, gid, ino, nlink, size, mtimeMs, ctimeMs, content].join(' '));
    }
    return lines.join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#init[Symbol.dispose]();
    await rm(this.base, { recursive: true, force: true });
  }
}

/** Relative to `root`. Node's own recursive readdir follows links. */
async function namesBelow(root: string, except: readonly string[] = [], prefix = ''): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    const name = join(prefix, entry.name);
    if (except.includes(name)) continue;
    names.push(name);
    if (entry.isDirectory()) names.push(...(await namesBelow(root, except, name)));
  }
  return names;
}

/** Of all our threads: one of the pool starts them. */
async function ourChildren(): Promise<string[]> {
  const threads = await readdir('/proc/self/task');
  const lists = await Promise.all(threads.map((id) => readFile(`/proc/self/task/${id}/children`, 'utf8')));
  return lists.flatMap((list) => list.split(' ').filter((pid) => pid !== ''));
}

async function look(pid: string): Promise<Seen> {
  const lines = (await readFile(`/proc/${pid}/status`, 'utf8')).split('\n');
  const pairs = lines.map((line) => line.split(':\t')).map(([name = '', value = '']) => [name, value.trim()]);
  return {
    status: Object.fromEntries(pairs),
    root: await readdir(`/proc/${pid}/root`),
    network: await readlink(`/proc/${pid}/ns/net`),
    descriptors: await readdir(`/proc/${pid}/fd`),
  };
}
