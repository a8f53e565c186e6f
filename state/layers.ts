import type { Readable } from 'node:stream';
import type { ChainID, DiffID, LayerID } from '../api/ids.ts';
import type { Operation } from '../drivers/libcontainer/program.ts';

/**
 * Image layers by chain id (`<data-root>/image/layers/<hex>.json`) and containers' read-write layers on top of them;
 * counts who uses what, and alone asks the graph driver for anything.
 */
export declare class Layers {
  readonly driverName: string;
  /** Size in bytes of one image layer, and of all below it. */
  sizeOf(chain: ChainID | null): number;
  has(chain: ChainID): boolean;
  /**
   * Unpacks `tar` (uncompressed) on `parent`, checks its diffID when `expected` is given, and counts one user.
   * The same layer at the same time from two callers is unpacked once. Fails with InvalidParameter.
   */
  register(
    parent: ChainID | null,
    tar: Readable,
    expected: DiffID | null,
    signal?: AbortSignal,
  ): Promise<{ chain: ChainID; diff: DiffID }>;
  /** One user more, or one less: at none the layer goes, and then its parent may. */
  retain(chain: ChainID): void;
  release(chain: ChainID): Promise<void>;
  /** A container's layer on an image's top layer (null for an empty image). */
  addReadWrite(top: ChainID | null): Promise<LayerID>;
  removeReadWrite(layer: LayerID, top: ChainID | null): Promise<void>;
  rootfs(layer: LayerID, target: string, slot: number): Promise<Operation[]>;
  readWriteSize(layer: LayerID): Promise<number>;
  metadata(layer: LayerID): Promise<Readonly<Record<string, string>>>;
  chainMetadata(chain: ChainID): Promise<Readonly<Record<string, string>>>;
  status(): Promise<readonly (readonly [label: string, value: string])[]>;
  /** At start: drops layers that neither `chains` (of images) nor `readWrite` (of containers) name. */
  sweep(chains: Iterable<ChainID>, readWrite: Iterable<{ layer: LayerID; top: ChainID | null }>): Promise<void>;
}
