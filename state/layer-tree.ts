import createDebug from 'debug';
import { NotFound } from '../api/errors.ts';
import type { ChainID, ImageID, LayerID } from '../api/ids.ts';
import type { LayerRecord } from './layer-records.ts';

const warn = createDebug('gantry:warn:layers');

/** Who keeps a layer: an image by its id, a container by its read-write layer, a registration by itself. */
export type User = ImageID | LayerID | symbol;

interface Entry extends LayerRecord {
  /** Bytes of it and of all below it. */
  readonly total: number;
  readonly users: Set<User>;
  /** Layers that stand on it. */
  children: number;
}

/**
 * Which image layers there are, which stands on which, and who keeps each: in memory, and nothing else is done here.
 *
 *   image a ──▶ top of a ─┐
 *                         ├─▶ base          a layer goes when nobody keeps it and nothing stands on it
 *   container ─▶ top of b ┘
 */
export class LayerTree {
  readonly #entries = new Map<ChainID, Entry>();

  /** Takes records from disk, parents first. One without its tree or without its parent is left out, with a warning. */
  adoptAll(found: ReadonlyMap<ChainID, LayerRecord>, onDisk: ReadonlySet<LayerID>): void {
    for (const chain of found.keys()) this.#adopt(chain, found, onDisk);
  }

  has(chain: ChainID): boolean {
    return this.#entries.has(chain);
  }

  find(chain: ChainID): Readonly<Entry> | null {
    return this.#entries.get(chain) ?? null;
  }

  /** Fails with NotFound. */
  get(chain: ChainID): Readonly<Entry> {
    return this.#entry(chain);
  }

  list(): (readonly [ChainID, Readonly<Entry>])[] {
    return [...this.#entries];
  }

  /** A new layer, on the parent that its record names. Nobody keeps it yet. */
  put(chain: ChainID, record: LayerRecord): void {
    const parent = record.parent === null ? undefined : this.#entries.get(record.parent);
    if (parent !== undefined) parent.children++;
    this.#entries.set(chain, { ...record, total: record.size + (parent?.total ?? 0), users: new Set(), children: 0 });
  }

  /** Keeping twice is keeping. Fails with NotFound. */
  keep(chain: ChainID, user: User): void {
    this.#entry(chain).users.add(user);
  }

  /** One that is gone, or was not kept, is no error. */
  letGo(chain: ChainID, user: User): void {
    this.#entries.get(chain)?.users.delete(user);
  }

  /** It is there, nobody keeps it and nothing stands on it. */
  isUnused(chain: ChainID): boolean {
    const entry = this.#entries.get(chain);
    return entry !== undefined && entry.users.size === 0 && entry.children === 0;
  }

  /** Out of reach from now on; it stands on its parent until `leaveParent`, so that the parent outlives it on disk. */
  hide(chain: ChainID): void {
    this.#entries.delete(chain);
  }

  leaveParent({ parent }: LayerRecord): void {
    const below = parent === null ? undefined : this.#entries.get(parent);
    if (below !== undefined) below.children--;
  }

  #entry(chain: ChainID): Entry {
    const entry = this.#entries.get(chain);
    if (entry === undefined) throw new NotFound(`layer does not exist: ${chain}`);
    return entry;
  }

  #adopt(chain: ChainID, found: ReadonlyMap<ChainID, LayerRecord>, onDisk: ReadonlySet<LayerID>): boolean {
    const record = found.get(chain);
    if (record === undefined) return false;
    if (this.#entries.has(chain)) return true;
    const isWhole = onDisk.has(record.layer) && (record.parent === null || this.#adopt(record.parent, found, onDisk));
    if (isWhole) this.put(chain, record);
    else warn('layer %s is left out: its tree %s or what it stands on is not there', chain, record.layer);
    return isWhole;
  }
}
