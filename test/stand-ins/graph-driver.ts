import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Conflict } from '../../api/errors.ts';
import { type LayerID, layerID } from '../../api/ids.ts';
import type { GraphDriver } from '../../drivers/graph/driver.ts';
import { hasErrno } from '../../std/errno.ts';

/** Layers as plain folders, which nothing mounts: for jobs whose containers are processes of the host. */
export class FolderGraph implements GraphDriver {
  readonly name = 'folder';
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async create(id: LayerID): Promise<void> {
    await mkdir(join(this.#root, id)).catch((error: unknown) => {
      throw hasErrno(error, 'EEXIST') ? new Conflict(`layer ${id} exists`) : error;
    });
  }

  async remove(id: LayerID): Promise<void> {
    await rm(join(this.#root, id), { recursive: true, force: true });
  }

  async exists(id: LayerID): Promise<boolean> {
    return (await stat(join(this.#root, id)).catch(() => null)) !== null;
  }

  async list(): Promise<LayerID[]> {
    return (await readdir(this.#root)).map(layerID);
  }

  async applyDiff(): Promise<{ size: number }> {
    return { size: 0 };
  }

  async rootfs(): Promise<[]> {
    return [];
  }

  async size(): Promise<number> {
    return 0;
  }

  async metadata(): Promise<Readonly<Record<string, string>>> {
    return {};
  }

  async status(): Promise<[]> {
    return [];
  }
}
