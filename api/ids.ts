import { createHash, randomBytes } from 'node:crypto';
import { InvalidParameter } from './errors.ts';

declare const brand: unique symbol;

/** A string only its own parser can make, so two kinds of id never stand in for each other. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: { readonly [N in Name]: true } };

/** `sha256:` and 64 hex digits (OCI image-spec, descriptor.md). */
export type Digest = Brand<string, 'Digest'>;
/** Digest of an image's config JSON: what Docker calls the image id. */
export type ImageID = Brand<Digest, 'ImageID'>;
/** Digest of one layer's uncompressed tar. */
export type DiffID = Brand<Digest, 'DiffID'>;
/** Digest naming a layer and all below it (OCI image-spec, config.md, "Layer ChainID"). */
export type ChainID = Brand<Digest, 'ChainID'>;
/** 64 hex digits. */
export type ContainerID = Brand<string, 'ContainerID'>;
/** 64 hex digits. */
export type ExecID = Brand<string, 'ExecID'>;
/** What a graph driver calls a layer: 32 hex digits, so that many fit into one page of mount options. */
export type LayerID = Brand<string, 'LayerID'>;

export function parseDigest(value: string): Digest {
  if (!/^sha256:[0-9a-f]{64}$/.test(value)) throw new InvalidParameter(`invalid digest: ${value}`);
  return value as Digest;
}
export const imageID = (value: string): ImageID => parseDigest(value) as ImageID;
export const diffID = (value: string): DiffID => parseDigest(value) as DiffID;
export const chainIDOf = (value: string): ChainID => parseDigest(value) as ChainID;

export function sha256(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** ChainID(L0) = DiffID(L0); ChainID(L0…Ln) = sha256(ChainID(L0…Ln-1) + " " + DiffID(Ln)). */
export function chainID(parent: ChainID | null, layer: DiffID): ChainID {
  return parent === null ? chainIDOf(layer) : chainIDOf(sha256(`${parent} ${layer}`));
}

/** Chain ids of an image's layers, lowest first. */
export function chainIDs(layers: readonly DiffID[]): ChainID[] {
  const chains: ChainID[] = [];
  for (const layer of layers) chains.push(chainID(chains.at(-1) ?? null, layer));
  return chains;
}

/** What a container of an image stands on: all of its layers; null for an empty image. */
export const topChain = (layers: readonly DiffID[]): ChainID | null => chainIDs(layers).at(-1) ?? null;

export function containerID(value: string): ContainerID {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new InvalidParameter(`invalid container id: ${value}`);
  return value as ContainerID;
}
export const newContainerID = (): ContainerID => containerID(randomID());

export function execID(value: string): ExecID {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new InvalidParameter(`invalid exec id: ${value}`);
  return value as ExecID;
}
export const newExecID = (): ExecID => execID(randomID());

export function layerID(value: string): LayerID {
  if (!/^[0-9a-f]{32}$/.test(value)) throw new InvalidParameter(`invalid layer id: ${value}`);
  return value as LayerID;
}
export const newLayerID = (): LayerID => layerID(randomBytes(16).toString('hex'));

/** Docker never gives an id whose first twelve digits are all decimal: a host name must not look like a number. */
function randomID(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}
