import { createWriteStream } from 'node:fs';
import { link, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { Conflict, InvalidParameter } from '../../api/errors.ts';
import { type LayerID, layerID } from '../../api/ids.ts';
import type { GraphDriver } from '../../drivers/graph/driver.ts';
import { hasErrno } from '../../std/errno.ts';

/**
 * Layers as plain folders that nothing mounts, filled from real tars: for what stands above a graph driver. It trusts the
 * tars it is given, as no real driver may.
 */
export class TarGraph implements GraphDriver {
  readonly name: string;
  readonly #root: string;
  /** Layers unpacked so far. */
  unpacked = 0;

  constructor(root: string, name = 'tar-graph') {
    this.#root = root;
    this.name = name;
  }

  async create(id: LayerID, parent: LayerID | null): Promise<void> {
    await mkdir(join(this.#root, id)).catch((error: unknown) => {
      throw hasErrno(error, 'EEXIST') ? new Conflict(`layer ${id} exists`) : error;
    });
    if (parent !== null) await writeFile(join(this.#root, id, '.parent'), parent);
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

  async applyDiff(id: LayerID, tar: Readable, signal?: AbortSignal): Promise<{ size: number }> {
    this.unpacked++;
    const root = join(this.#root, id);
    let size = 0;
    const entries = extract();
    entries.on('entry', (header, body, next) => {
      const path = join(root, header.name);
      const make = async () => {
        await mkdir(dirname(path), { recursive: true });
        if (header.type === 'directory') await mkdir(path, { recursive: true });
        else if (header.type === 'symlink') await symlink(header.linkname ?? '', path);
        else if (header.type === 'link') await link(join(root, header.linkname ?? ''), path);
        else {
          size += header.size ?? 0;
          return pipeline(body, createWriteStream(path));
        }
        body.resume();
      };
      make().then(() => next(), next);
    });
    try {
      await pipeline(tar, entries, ...(signal ? [{ signal }] : []));
    } catch (error) {
      throw new InvalidParameter(error instanceof Error ? error.message : String(error), { cause: error });
    }
    return { size };
  }

  async rootfs(): Promise<[]> {
    return [];
  }

  async size(): Promise<number> {
    return 0;
  }

  async metadata(id: LayerID): Promise<Readonly<Record<string, string>>> {
    return { Dir: join(this.#root, id) };
  }

  async status(): Promise<[]> {
    return [];
  }
}
