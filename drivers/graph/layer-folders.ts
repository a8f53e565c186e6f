import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import createDebug from 'debug';
import { Conflict } from '../../api/errors.ts';
import { type LayerID, layerID } from '../../api/ids.ts';
import { hasErrno } from '../../std/errno.ts';
import { Undo } from '../../std/undo.ts';
import type { GantryInit } from '../libcontainer/gantry-init.ts';
import { Beneath } from '../libcontainer/kernel/beneath.ts';
import { removeTrees } from '../libcontainer/trees.ts';

const debug = createDebug('gantry:graph:folders');
const warn = createDebug('gantry:warn:graph');
/** How the name of what is half made begins. */
export const MAKING = '.making-';
const REMOVING = '.removing-';
const MAX_LAYERS = 1_000_000;
const GATHERING_MS = 100;
/** Names of some 80 bytes, as words of a process. */
const REMOVALS_AT_ONCE = 256;

/**
 * One folder a layer, named by its id, below a root that only we may enter:
 *
 *   <root>/<id>                    a layer, whole
 *   <root>/.making-<id>-<random>   one that is being made
 *   <root>/.removing-<id>-<random> one that is being deleted, behind whoever asked for it
 *
 * A layer comes and goes by one rename(2). What a crash leaves under the other names is deleted at start.
 */
export class LayerFolders implements Disposable {
  readonly root: string;
  readonly #init: GantryInit;
  readonly #tree: Beneath;
  /** What waits to be deleted: it takes a process, and one is enough for all that are removed within a moment. */
  readonly #doomed: string[] = [];
  /** Deletions, one after the other. */
  #deletions: Promise<void> = Promise.resolve();

  private constructor(root: string, init: GantryInit, tree: Beneath) {
    this.root = root;
    this.#init = init;
    this.#tree = tree;
  }

  /** Makes the root and begins to delete what was left half made or half deleted. */
  static async open(root: string, init: GantryInit): Promise<LayerFolders> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await chmod(root, 0o700);
    const folders = new LayerFolders(root, init, await Beneath.open(root));
    for (const name of await readdir(root)) {
      if (name.startsWith(MAKING) || name.startsWith(REMOVING)) folders.#deleteBehind(name);
    }
    return folders;
  }

  path(id: LayerID, ...parts: readonly string[]): string {
    return join(this.root, id, ...parts);
  }

  /** Makes a layer's folder: `fill` puts into it what belongs there. Fails with Conflict when there is one of that id. */
  async make(id: LayerID, fill: (folder: string) => Promise<void>): Promise<void> {
    const name = `${MAKING}${id}-${random()}`;
    const folder = join(this.root, name);
    await using undo = new Undo();
    undo.defer(`delete ${name}`, () => this.#deleteBehind(name));
    await mkdir(folder, { mode: 0o700 });
    await fill(folder);
    await rename(folder, this.path(id)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') throw new Conflict(`layer ${id} exists`);
      throw error;
    });
    undo.keep();
    debug('made %s', id);
  }

  /** Takes the layer away at once and deletes its files behind. One that is gone is no error. */
  async remove(id: LayerID): Promise<void> {
    const name = `${REMOVING}${id}-${random()}`;
    try {
      await rename(this.path(id), join(this.root, name));
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    debug('removing %s', id);
    this.#deleteBehind(name);
  }

  async exists(id: LayerID): Promise<boolean> {
    try {
      await lstat(this.path(id));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async list(): Promise<LayerID[]> {
    const entries = await this.#tree.readdir('.', MAX_LAYERS);
    return entries.filter(({ name }) => /^[0-9a-f]{32}$/.test(name)).map(({ name }) => layerID(name));
  }

  /** A folder of a layer, open for reading. The caller closes it. */
  openForReading(id: LayerID, path: string): Promise<number> {
    return this.#tree.openFile(join(id, path), constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** The root itself. Stays ours. */
  get fd(): number {
    return this.#tree.fd;
  }

  /** Bytes of a layer's files below `path`. */
  size(id: LayerID, path: string): Promise<number> {
    return this.#tree.treeSize(join(id, path));
  }

  /** Resolves when nothing is left to delete. */
  settled(): Promise<void> {
    return this.#deletions;
  }

  /** For a driver that is not used after all. */
  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]();
  }

  #deleteBehind(name: string): void {
    this.#doomed.push(name);
    if (this.#doomed.length === 1) this.#deletions = this.#deletions.then(() => this.#deleteDoomed());
  }

  async #deleteDoomed(): Promise<void> {
    await sleep(GATHERING_MS);
    for (const names = this.#doomed.splice(0); names.length > 0; ) {
      await removeTrees(this.#init, this.#tree.fd, names.splice(0, REMOVALS_AT_ONCE)).catch((error: unknown) =>
        warn('what was removed stays behind in %s: %s', this.root, error),
      );
    }
  }
}

function random(): string {
  return randomBytes(4).toString('hex');
}

function isMissing(error: unknown): boolean {
  return hasErrno(error, 'ENOENT');
}
