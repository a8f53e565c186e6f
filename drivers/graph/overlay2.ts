/**
 * One folder a layer, and the kernel's overlay filesystem to see them as one
 * (https://docs.kernel.org/filesystems/overlayfs.html):
 *
 *   <root>/<id>/diff     what this layer adds, changes and whites out
 *   <root>/<id>/work     overlay's scratch, empty at rest
 *   <root>/<id>/lower    text: the ids of the layers below, nearest first, joined by ':'
 *   <root>/empty         what lies below a layer that stands on nothing: overlay wants one lower folder at least
 *
 * The mount itself is one operation of a container's program, in its own mount namespace.
 */
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { InvalidParameter, SystemFailure } from '../../api/errors.ts';
import { type LayerID, layerID } from '../../api/ids.ts';
import type { GantryInit } from '../libcontainer/gantry-init.ts';
import { closing } from '../libcontainer/kernel/descriptors.ts';
import type { Operation } from '../libcontainer/program.ts';
import { runProgram } from '../libcontainer/run-program.ts';
import { extractTree } from '../libcontainer/trees.ts';
import { filesystemOf } from './backing.ts';
import type { GraphDriver } from './driver.ts';
import { LayerFolders, MAKING } from './layer-folders.ts';

/** As Docker has it: an image has at most 127 layers, and a container one more. */
const MAX_DEPTH = 128;
const EMPTY = 'empty';
const PLAIN_ROOT = 0o755;
const OWNER = 'graph/overlay2';
/** What would let a layer say where its files really are; every layer must mean the same whoever reads it. */
const OPTIONS = ['index=off', 'redirect_dir=off', 'metacopy=off'];
const PROBE_SLOT = 8;

export class Overlay2Driver implements GraphDriver {
  readonly name = 'overlay2';
  readonly #folders: LayerFolders;
  readonly #init: GantryInit;
  /** What stands in the files `lower`, of layers that were made or asked for: it never changes. */
  readonly #known = new Map<LayerID, readonly LayerID[]>();

  private constructor(folders: LayerFolders, init: GantryInit) {
    this.#folders = folders;
    this.#init = init;
  }

  /** Fails with SystemFailure when the kernel cannot mount an overlay on what is at `root`. */
  static async open(root: string, init: GantryInit): Promise<Overlay2Driver> {
    const folders = await LayerFolders.open(root, init);
    try {
      await mkdir(join(root, EMPTY), { recursive: true, mode: 0o755 });
      await probe(root);
    } catch (error) {
      await folders.settled();
      folders[Symbol.dispose]();
      throw error;
    }
    return new Overlay2Driver(folders, init);
  }

  async create(id: LayerID, parent: LayerID | null): Promise<void> {
    const lowers = parent === null ? [] : [parent, ...(await this.#lowers(parent))];
    if (lowers.length >= MAX_DEPTH) throw new InvalidParameter('max depth exceeded');
    await this.#folders.make(id, async (folder) => {
      await Promise.all([
        makeDiff(join(folder, 'diff'), parent === null ? null : this.#folders.path(parent, 'diff')),
        mkdir(join(folder, 'work'), { mode: 0o700 }),
        writeFile(join(folder, 'lower'), lowers.join(':'), { mode: 0o600 }),
      ]);
    });
    this.#known.set(id, lowers);
  }

  remove(id: LayerID): Promise<void> {
    this.#known.delete(id);
    return this.#folders.remove(id);
  }

  exists(id: LayerID): Promise<boolean> {
    return this.#folders.exists(id);
  }

  list(): Promise<LayerID[]> {
    return this.#folders.list();
  }

  /** Resolves when the files of all removed layers are deleted. */
  settled(): Promise<void> {
    return this.#folders.settled();
  }

  async applyDiff(id: LayerID, tar: Readable, signal?: AbortSignal): Promise<{ size: number }> {
    const paths = (await this.#lowers(id)).map((lower) => join(lower, 'diff'));
    const diff = await this.#folders.openForReading(id, 'diff');
    using _diff = closing(diff);
    const lowers = { root: this.#folders.fd, paths };
    const { bytes } = await extractTree(this.#init, diff, tar, { whiteouts: 'overlay', lowers }, signal);
    return { size: bytes };
  }

  async rootfs(id: LayerID, target: string, slot: number): Promise<Operation[]> {
    const lowers = await this.#lowers(id);
    return [
      {
        op: 'overlay',
        owner: OWNER,
        base: this.#folders.root,
        lowers: lowers.length === 0 ? [EMPTY] : lowers.map((lower) => join(lower, 'diff')),
        upper: join(id, 'diff'),
        work: join(id, 'work'),
        options: OPTIONS,
        target,
        slot,
      },
    ];
  }

  size(id: LayerID): Promise<number> {
    return this.#folders.size(id, 'diff');
  }

  async metadata(id: LayerID): Promise<Readonly<Record<string, string>>> {
    const lowers = (await this.#lowers(id)).map((lower) => this.#folders.path(lower, 'diff'));
    return {
      ...(lowers.length === 0 ? {} : { LowerDir: lowers.join(':') }),
      MergedDir: this.#folders.path(id, 'merged'),
      UpperDir: this.#folders.path(id, 'diff'),
      WorkDir: this.#folders.path(id, 'work'),
    };
  }

  async status(): Promise<readonly (readonly [label: string, value: string])[]> {
    return [
      ['Backing Filesystem', await filesystemOf(this.#folders.root)],
      ['Supports d_type', 'true'],
      ['Using metacopy', 'false'],
      ['Native Overlay Diff', 'true'],
      ['userxattr', 'false'],
    ];
  }

  async #lowers(id: LayerID): Promise<readonly LayerID[]> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const text = await readFile(this.#folders.path(id, 'lower'), 'utf8');
    const lowers = text === '' ? [] : text.split(':').map(layerID);
    this.#known.set(id, lowers);
    return lowers;
  }
}

/** A layer's root is what its parent's is, until it says otherwise: most often root's own, and 0755. */
async function makeDiff(path: string, parent: string | null): Promise<void> {
  const wanted = parent === null ? null : await lstat(parent);
  await mkdir(path, { mode: PLAIN_ROOT });
  const { uid, gid, mode } = await lstat(path);
  if (wanted !== null && (wanted.uid !== uid || wanted.gid !== gid)) await chown(path, wanted.uid, wanted.gid);
  const permissions = wanted === null ? PLAIN_ROOT : wanted.mode & 0o7777;
  if ((mode & 0o7777) !== permissions) await chmod(path, permissions);
}

/** Mounts an overlay where nobody sees it, and has a look whether it does what a layer needs. */
async function probe(root: string): Promise<void> {
  const base = await mkdtemp(join(root, `${MAKING}probe-`));
  const target = join(base, 'merged');
  try {
    for (const part of ['lower', 'upper', 'work', 'merged']) await mkdir(join(base, part));
    await writeFile(join(base, 'lower', 'file'), '');
    await runProgram(
      [
        {
          op: 'overlay',
          owner: OWNER,
          base,
          lowers: ['lower'],
          upper: 'upper',
          work: 'work',
          options: OPTIONS,
          target,
          slot: PROBE_SLOT,
        },
        { op: 'write', owner: OWNER, path: join(target, 'file'), data: 'x', flags: 0 },
      ],
      { privateMounts: true },
    );
  } catch (cause) {
    const where = `overlayfs on the ${await filesystemOf(root)} filesystem at ${root}`;
    throw new SystemFailure(`driver not supported: cannot use ${where}: ${String(cause)}`, { cause });
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
