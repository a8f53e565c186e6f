import type { Readable } from 'node:stream';
import type { LayerID } from '../../api/ids.ts';
import type { Operation } from '../libcontainer/program.ts';

/**
 * A graph driver keeps layers: trees that start as a copy of a parent and remember what changed. How it copies (overlay
 * mounts, plain files, …) is its own affair. Its one caller is `state/layers.ts`, which does the locking and the counting.
 *
 * The life of a layer, told once:
 *
 *   create(id, parent)             an empty change set on `parent`; what a crash leaves of it, `remove` takes away
 *   applyDiff(id, tar)             for an image layer: filled once, never written again, parent of others
 *   rootfs(id)                     for a container's layer: the operations that put the whole tree in place, run in the
 *                                  container's own mount namespace; the host's mount table never shows it
 *   remove(id)                     when nothing stands on it
 */
export interface GraphDriver {
  readonly name: string;

  /** Makes an empty layer on `parent`. Fails with Conflict when `id` exists. */
  create(id: LayerID, parent: LayerID | null): Promise<void>;

  /** Forgets a layer and its files. A layer that is gone already is no error. Returns when `id` may be used again; the
   *  deletion of a large tree goes on behind it. */
  remove(id: LayerID): Promise<void>;

  exists(id: LayerID): Promise<boolean>;

  /** Ids of all layers on disk, for the sweep at start. */
  list(): Promise<LayerID[]>;

  /**
   * Unpacks an uncompressed tar with `.wh.` whiteouts (OCI image-spec, layer.md) into a fresh layer, confined to it.
   * Gives the bytes its files hold, once they are on the disk. Fails with InvalidParameter when the tar is bad or goes over a bound; the caller
   * removes the layer then.
   */
  applyDiff(id: LayerID, tar: Readable, signal?: AbortSignal): Promise<{ size: number }>;

  /**
   * The operations that mount the whole of layer `id` on the folder `target` and open it in slot `slot`; they run in a
   * fresh private mount namespace of the same filesystem view as the host's.
   */
  rootfs(id: LayerID, target: string, slot: number): Promise<Operation[]>;

  /** Bytes that the layer itself holds (for `docker ps -s`). */
  size(id: LayerID): Promise<number>;

  /** `GraphDriver.Data` of inspect. */
  metadata(id: LayerID): Promise<Readonly<Record<string, string>>>;

  /** Rows for `docker info`, in the order shown. */
  status(): Promise<readonly (readonly [label: string, value: string])[]>;
}
