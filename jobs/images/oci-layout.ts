/**
 * An OCI image layout (image-spec, image-layout.md): `index.json` names manifests by digest, and blobs lie where their
 * digest says. Nothing is believed that does not hash to its name, and no document that could be read two ways.
 */
import { InvalidParameter } from '../../api/errors.ts';
import { type Digest, parseDigest, sha256 } from '../../api/ids.ts';
import { descriptor } from '../../api/image.ts';
import { architectureOf } from '../../api/platform.ts';
import { parseReference, type Reference, withDefaultTag } from '../../api/reference.ts';
import { MAX_CONFIG_BYTES, parseImage } from '../../state/images.ts';
import { anything, type Decoded, list, nullable, object, optional, text } from '../../std/decode.ts';
import type { Archive } from './archive.ts';
import { decodeJSON } from './decode-json.ts';
import { checkImage } from './docker-archive.ts';
import { MAX_IMAGES, MAX_MANIFEST_BYTES, type PlannedImage, type PlannedLayer } from './planned-image.ts';

export const INDEX = 'index.json';
/** An index in an index in an index … */
const MAX_DEPTH = 4;
const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const CONFIG_TYPES = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];

type Descriptor = Decoded<typeof descriptor>;

const indexDocument = object({
  mediaType: optional(text, ''),
  manifests: list(descriptor),
  layers: nullable(anything),
});
const manifestDocument = object({
  mediaType: optional(text, ''),
  config: descriptor,
  layers: list(descriptor),
  manifests: nullable(anything),
});

/** Fails with InvalidParameter. */
export async function imagesOfLayout(archive: Archive): Promise<PlannedImage[]> {
  const found = await indexed(archive, await archive.read(INDEX, MAX_MANIFEST_BYTES), INDEX, 0);
  if (found.length > MAX_IMAGES) {
    throw new InvalidParameter(`invalid index, ${found.length} images: at most ${MAX_IMAGES} are loaded at once`);
  }
  const images = new Map<Digest, PlannedImage>();
  for (const each of found) {
    const image = await planned(archive, each);
    const before = images.get(image.image.id)?.references ?? [];
    images.set(image.image.id, { ...image, references: [...before, ...image.references] });
  }
  return [...images.values()];
}

/** The manifests of an index; of an index within it only the one for this machine. */
async function indexed(archive: Archive, bytes: Buffer, name: string, depth: number): Promise<Descriptor[]> {
  if (depth > MAX_DEPTH) throw new InvalidParameter(`invalid index: ${name} is more than ${MAX_DEPTH} deep`);
  const { manifests, layers } = decodeJSON(bytes, name, (json) => indexDocument(json, 'index'));
  if (layers !== null) throw new InvalidParameter(`invalid index: ${name} is an index and a manifest at once`);
  const found: Descriptor[] = [];
  for (const each of manifests.filter(isImage)) {
    if (!INDEX_TYPES.includes(each.mediaType)) found.push(each);
    else found.push(...(await nested(archive, each, depth)));
  }
  return found;
}

/** The image has the name of the index that it was found in. */
async function nested(archive: Archive, index: Descriptor, depth: number): Promise<Descriptor[]> {
  const inner = await indexed(archive, await blob(archive, index, MAX_MANIFEST_BYTES), index.digest, depth + 1);
  const chosen = inner.find(isForThisMachine) ?? (inner.length === 1 ? inner[0] : undefined);
  if (chosen === undefined) {
    throw new InvalidParameter(`no matching manifest for linux/${architecture()} in the manifest list entries`);
  }
  return [{ ...chosen, annotations: { ...chosen.annotations, ...index.annotations } }];
}

async function planned(archive: Archive, found: Descriptor): Promise<PlannedImage> {
  const manifest = decodeJSON(await blob(archive, found, MAX_MANIFEST_BYTES), found.digest, (json) =>
    manifestDocument(json, 'manifest'),
  );
  if (manifest.manifests !== null || (manifest.mediaType !== '' && manifest.mediaType !== found.mediaType)) {
    throw new InvalidParameter(`invalid manifest: ${found.digest} is not what the index says: ${found.mediaType}`);
  }
  if (!CONFIG_TYPES.includes(manifest.config.mediaType)) {
    throw new InvalidParameter(`unsupported media type ${manifest.config.mediaType}: ${found.digest} is no image`);
  }
  const config = await blob(archive, manifest.config, MAX_CONFIG_BYTES);
  const image = parseImage(config);
  checkImage(image, manifest.layers.length);
  const layers = manifest.layers.map((layer) => plannedLayer(archive, layer));
  return { config, image, layers, references: referencesIn(found) };
}

function plannedLayer(archive: Archive, layer: Descriptor): PlannedLayer {
  const digest = parseDigest(layer.digest);
  const part = archive.part(placeOf(digest));
  checkSize(layer, part.size);
  return { part, digest };
}

async function blob(archive: Archive, found: Descriptor, max: number): Promise<Buffer> {
  const digest = parseDigest(found.digest);
  const bytes = await archive.read(placeOf(digest), max);
  checkSize(found, bytes.length);
  if (sha256(bytes) !== digest) throw new InvalidParameter(`invalid archive: blob ${digest} has another digest`);
  return bytes;
}

function checkSize(found: Descriptor, size: number): void {
  if (found.size === size) return;
  throw new InvalidParameter(`invalid archive: blob ${found.digest} has ${size} bytes, not ${found.size}`);
}

/**
 * What the image is called. containerd's annotation has the whole name; the specification's own may have no more than a
 * tag, and is taken where it cannot be one.
 */
function referencesIn({ annotations }: Descriptor): Reference[] {
  const full = annotations?.['io.containerd.image.name'];
  const name = annotations?.['org.opencontainers.image.ref.name'];
  const chosen = full ?? (name !== undefined && /[/:]/.test(name) ? name : undefined);
  return chosen === undefined ? [] : [withDefaultTag(parseReference(chosen))];
}

/** Not the attestation that builders put beside an image. */
function isImage({ annotations, platform }: Descriptor): boolean {
  return annotations?.['vnd.docker.reference.type'] === undefined && platform?.os !== 'unknown';
}

function isForThisMachine({ platform }: Descriptor): boolean {
  return platform?.os === 'linux' && platform.architecture === architecture();
}

const architecture = (): string => architectureOf(process.arch);
const placeOf = (digest: Digest): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;
