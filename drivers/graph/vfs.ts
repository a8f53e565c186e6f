/**
 * Every layer a whole tree of its own: slow and large, and it works on any filesystem.
 *
 *   <root>/<id>/tree     a copy of the parent's tree, changed
 *   <root>/<id>/base     text: bytes of the parent's files, which are not this layer's own
 */
import { constants } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { LayerID } from '../../api/ids.ts';
import type { GantryInit } from '../libcontainer/gantry-init.ts';
import { closing, open } from '../libcontainer/kernel/descriptors.ts';
import type { Operation } from '../libcontainer/program.ts';
import { copyTree, extractTree } from '../libcontainer/trees.ts';
import { filesystemOf } from './backing.ts';
import type { GraphDriver } from './driver.ts';
import { LayerFolders } from './layer-folders.ts';

const OWNER = 'graph/vfs';

export class VfsDriver implements GraphDriver {
  readonly name = 'vfs';
  readonly #folders: LayerFolders;
  readonly #init: GantryInit;

  private constructor(folders: LayerFolders, init: GantryInit) {
    this.#folders = folders;
    this.#init = init;
  }

  static async open(root: string, init: GantryInit): Promise<VfsDriver> {
    return new VfsDriver(await LayerFolders.open(root, init), init);
  }

  async create(id: LayerID, parent: LayerID | null): Promise<void> {
    await this.#folders.make(id, async (folder) => {
      const tree = join(folder, 'tree');
      await mkdir(tree, { mode: 0o755 });
      await chmod(tree, 0o755);
      const bytes = parent === null ? 0 : await this.#copy(parent, tree);
      await writeFile(join(folder, 'base'), String(bytes), { mode: 0o600 });
    });
  }

  remove(id: LayerID): Promise<void> {
    return this.#folders.remove(id);
  }

  exists(id: LayerID): Promise<boolean> {
    return this.#folders.exists(id);
  }

  list(): Promise<LayerID[]> {
    return this.#folders.list();
  }

  settled(): Promise<void> {
    return this.#folders.settled();
  }

  async applyDiff(id: LayerID, tar: Readable, signal?: AbortSignal): Promise<{ size: number }> {
    const tree = await this.#folders.openForReading(id, 'tree');
    using _tree = closing(tree);
    const { bytes } = await extractTree(this.#init, tree, tar, { whiteouts: 'delete' }, signal);
    return { size: bytes };
  }

  async rootfs(id: LayerID, target: string, slot: number): Promise<Operation[]> {
    return [
      { op: 'clone_tree', owner: OWNER, slot, path: this.#folders.path(id, 'tree'), flags: 0 },
      { op: 'attach', owner: OWNER, slot, target },
    ];
  }

  /** What it holds over its parent; less than nothing, where it deleted more than it wrote, is nothing. */
  async size(id: LayerID): Promise<number> {
    const base = Number(await readFile(this.#folders.path(id, 'base'), 'utf8'));
    return Math.max(0, (await this.#folders.size(id, 'tree')) - base);
  }

  /** Docker's vfs has nothing to tell. */
  async metadata(): Promise<Readonly<Record<string, string>>> {
    return {};
  }

  async status(): Promise<readonly (readonly [label: string, value: string])[]> {
    return [['Backing Filesystem', await filesystemOf(this.#folders.root)]];
  }

  async #copy(parent: LayerID, tree: string): Promise<number> {
    const source = await this.#folders.openForReading(parent, 'tree');
    using _source = closing(source);
    const target = open(tree, constants.O_RDONLY | constants.O_DIRECTORY);
    using _target = closing(target);
    return (await copyTree(this.#init, source, target)).bytes;
  }
}
