import { join } from 'node:path';
import createDebug from 'debug';
import { EngineError, InvalidParameter } from '../api/errors.ts';
import { type ChainID, chainID, type DiffID, type ImageID, type LayerID, newLayerID } from '../api/ids.ts';
import type { GraphDriver } from '../drivers/graph/driver.ts';
import type { Operation } from '../drivers/libcontainer/program.ts';
import { KeyedLock } from '../std/keyed-lock.ts';
import { mapBounded } from '../std/map-bounded.ts';
import { Undo } from '../std/undo.ts';
import type { Inflated } from './inflate.ts';
import { type LayerRecord, LayerRecords } from './layer-records.ts';
import { LayerTree, type User } from './layer-tree.ts';

const debug = createDebug('gantry:state:layers');
const warn = createDebug('gantry:warn:layers');
const REMOVALS_AT_ONCE = 8;

/** Where a layer's bytes come from. Opened only when they are needed, and then once. */
export type LayerSource = (signal: AbortSignal | undefined) => Inflated;

/** A layer that is there, and stays until it is disposed: whoever goes on using it retains it before that. */
export interface Registered extends AsyncDisposable {
  readonly chain: ChainID;
  readonly diffID: DiffID;
}

/** What a layer unpacked to is not what it was said to be. */
export class WrongDiffID extends InvalidParameter {
  readonly expected: DiffID;
  readonly actual: DiffID;

  constructor(expected: DiffID, actual: DiffID) {
    super(`wrong diff id calculated on extraction "${actual}": expected "${expected}"`);
    this.expected = expected;
    this.actual = actual;
  }
}

/**
 * Image layers by chain id (`<data-root>/image/layers/<driver>/<hex>.json`) and containers' read-write layers on top of
 * them; knows who uses what, and alone asks the graph driver for anything. Who uses what is not stored: images and
 * containers say it again at start (`sweep`).
 */
export class Layers {
  readonly #driver: GraphDriver;
  readonly #records: LayerRecords;
  readonly #tree = new LayerTree();
  readonly #readWrite = new Map<LayerID, ChainID | null>();
  /** A chain comes and goes once at a time. Taken from the top downwards. */
  readonly #lock = new KeyedLock<ChainID>();

  private constructor(driver: GraphDriver, records: LayerRecords) {
    this.#driver = driver;
    this.#records = records;
  }

  /** `folder` is `<data-root>/image/layers`. Nobody uses anything yet: `sweep` has to follow. */
  static async open(folder: string, driver: GraphDriver): Promise<Layers> {
    const records = new LayerRecords(join(folder, driver.name));
    const layers = new Layers(driver, records);
    const onDisk = new Set(await driver.list());
    layers.#tree.adoptAll(await records.read(), onDisk);
    return layers;
  }

  get driverName(): string {
    return this.#driver.name;
  }

  /** Size in bytes of one image layer, and of all below it. */
  sizeOf(chain: ChainID | null): number {
    return chain === null ? 0 : (this.#tree.find(chain)?.total ?? 0);
  }

  has(chain: ChainID): boolean {
    return this.#tree.has(chain);
  }

  /**
   * Unpacks a layer on `parent` and checks its diffID when `expected` is given. The same layer at the same time from two
   * callers is unpacked once. Fails with InvalidParameter (WrongDiffID among it) or NotFound (no such parent), and then
   * nothing is left of it.
   */
  async register(
    parent: ChainID | null,
    source: LayerSource,
    expected: DiffID | null,
    signal?: AbortSignal,
  ): Promise<Registered> {
    await using _parent = this.#hold(parent);
    if (expected === null) return await this.#unpack(parent, source, null, signal);
    const chain = chainID(parent, expected);
    await using _turn = await this.#lock.acquire(chain, signal);
    if (this.#tree.has(chain)) return this.#registered(chain);
    return await this.#unpack(parent, source, expected, signal);
  }

  /** An image keeps its top layer, and so all below. Twice is once. Fails with NotFound. */
  retain(chain: ChainID, image: ImageID): void {
    this.#tree.keep(chain, image);
  }

  /** At no user the layer goes, and then its parent may. Gives what went, the top first. Not retained is no error. */
  release(chain: ChainID, image: ImageID): Promise<ChainID[]> {
    return this.#drop(chain, image);
  }

  /** A container's layer on an image's top layer (null for an empty image). Fails with NotFound. */
  async addReadWrite(top: ChainID | null): Promise<LayerID> {
    const layer = newLayerID();
    await using undo = new Undo();
    if (top !== null) {
      this.#tree.keep(top, layer);
      undo.defer(`release layer ${top}`, () => this.#drop(top, layer));
    }
    undo.defer(`remove layer ${layer}`, () => this.#driver.remove(layer));
    await this.#driver.create(layer, this.#driverLayer(top));
    this.#readWrite.set(layer, top);
    undo.keep();
    return layer;
  }

  /** One that is gone already is no error. */
  async removeReadWrite(layer: LayerID, top: ChainID | null): Promise<void> {
    await this.#driver.remove(layer);
    this.#readWrite.delete(layer);
    if (top !== null) await this.#drop(top, layer);
  }

  rootfs(layer: LayerID, target: string, slot: number): Promise<Operation[]> {
    return this.#driver.rootfs(layer, target, slot);
  }

  readWriteSize(layer: LayerID): Promise<number> {
    return this.#driver.size(layer);
  }

  metadata(layer: LayerID): Promise<Readonly<Record<string, string>>> {
    return this.#driver.metadata(layer);
  }

  /** Fails with NotFound. */
  async chainMetadata(chain: ChainID): Promise<Readonly<Record<string, string>>> {
    return this.#driver.metadata(this.#tree.get(chain).layer);
  }

  status(): Promise<readonly (readonly [label: string, value: string])[]> {
    return this.#driver.status();
  }

  /**
   * At start: images and containers say what they use; layers that none of them names are dropped. `isComplete` false:
   * a record was damaged, so that somebody may use what nobody names; nothing is dropped then.
   */
  async sweep(
    images: Iterable<{ image: ImageID; top: ChainID }>,
    readWrite: Iterable<{ layer: LayerID; top: ChainID | null }>,
    isComplete: boolean,
  ): Promise<void> {
    for (const { image, top } of images) this.#keepIfThere(top, image);
    for (const { layer, top } of readWrite) {
      this.#readWrite.set(layer, top);
      if (top !== null) this.#keepIfThere(top, layer);
    }
    if (!isComplete || this.#records.damaged.length > 0) {
      warn('damaged records: layers that nobody names are kept');
      return;
    }
    for (const [chain] of this.#tree.list()) await this.#drop(chain, null);
    await this.#removeStrays();
  }

  #keepIfThere(chain: ChainID, user: User): void {
    if (this.#tree.has(chain)) this.#tree.keep(chain, user);
  }

  /** Unpacks under a name nobody knows yet; on disk is first the layer, then its record. */
  async #unpack(
    parent: ChainID | null,
    source: LayerSource,
    expected: DiffID | null,
    signal: AbortSignal | undefined,
  ): Promise<Registered> {
    const layer = newLayerID();
    await using undo = new Undo();
    undo.defer(`remove layer ${layer}`, () => this.#driver.remove(layer));
    await this.#driver.create(layer, this.#driverLayer(parent));
    const { size, diffID } = await this.#apply(layer, source, signal);
    if (expected !== null && diffID !== expected) throw new WrongDiffID(expected, diffID);
    const chain = chainID(parent, diffID);
    // With no diffID to go by, its lock is free to be taken only now, and the layer may have been there all along.
    await using _turn = expected === null ? await this.#lock.acquire(chain, signal) : null;
    if (this.#tree.has(chain)) return this.#registered(chain);
    const record: LayerRecord = { diffID, parent, layer, size };
    await this.#records.save(chain, record);
    undo.keep();
    this.#tree.put(chain, record);
    debug('%s is layer %s, %d bytes', chain, layer, size);
    return this.#registered(chain);
  }

  async #apply(layer: LayerID, source: LayerSource, signal: AbortSignal | undefined) {
    const { tar, digests } = source(signal);
    // Where the driver fails first, nobody asks for them.
    digests.catch(() => {});
    try {
      const { size } = await this.#driver.applyDiff(layer, tar, signal);
      // A driver may stop at the end of the archive: what stands behind it counts for the digest.
      tar.resume();
      return { size, diffID: (await digests).diffID };
    } catch (error) {
      signal?.throwIfAborted();
      // Where the bytes are bad, the driver only sees that they end.
      throw tar.errored instanceof EngineError ? tar.errored : error;
    } finally {
      tar.destroy();
    }
  }

  #registered(chain: ChainID): Registered {
    const user = Symbol(chain);
    this.#tree.keep(chain, user);
    return {
      chain,
      diffID: this.#tree.get(chain).diffID,
      [Symbol.asyncDispose]: async () => {
        await this.#drop(chain, user);
      },
    };
  }

  /** Keeps `chain` while something is made on it. Fails with NotFound. */
  #hold(chain: ChainID | null): AsyncDisposable {
    return chain === null ? { [Symbol.asyncDispose]: async () => {} } : this.#registered(chain);
  }

  /** Takes a user away, then every layer from here downwards that has none left. */
  async #drop(chain: ChainID, user: User | null): Promise<ChainID[]> {
    if (user !== null) this.#tree.letGo(chain, user);
    const dropped: ChainID[] = [];
    for (let next: ChainID | null = chain; next !== null; ) {
      const parent = await this.#dropUnused(next);
      if (parent === undefined) break;
      dropped.push(next);
      next = parent;
    }
    return dropped;
  }

  /** Gives the parent of the layer that went; undefined when it stays. */
  async #dropUnused(chain: ChainID): Promise<ChainID | null | undefined> {
    if (!this.#tree.isUnused(chain)) return undefined;
    await using _turn = await this.#lock.acquire(chain);
    if (!this.#tree.isUnused(chain)) return undefined;
    const entry = this.#tree.get(chain);
    // Out of reach before the first wait. The record goes before the tree: without it, the next start takes the tree away.
    this.#tree.hide(chain);
    await this.#records.remove(chain);
    await this.#driver.remove(entry.layer);
    this.#tree.leaveParent(entry);
    debug('%s is gone', chain);
    return entry.parent;
  }

  #driverLayer(chain: ChainID | null): LayerID | null {
    return chain === null ? null : this.#tree.get(chain).layer;
  }

  /** Trees that a crash left: no record names them, and no container. */
  async #removeStrays(): Promise<void> {
    const known = new Set<LayerID>(this.#readWrite.keys());
    for (const [, { layer }] of this.#tree.list()) known.add(layer);
    const strays = (await this.#driver.list()).filter((layer) => !known.has(layer));
    await mapBounded(strays, REMOVALS_AT_ONCE, async (layer) => {
      debug('layer %s has no record and is removed', layer);
      await this.#driver.remove(layer);
    });
  }
}
