/** What `docker save` writes: `manifest.json` names configs and layers by their place in the archive. */
import { InvalidParameter } from '../../api/errors.ts';
import { archiveManifest, type Image } from '../../api/image.ts';
import { parseReference, type Reference } from '../../api/reference.ts';
import { MAX_CONFIG_BYTES, parseImage } from '../../state/images.ts';
import type { Decoded } from '../../std/decode.ts';
import type { Archive } from './archive.ts';
import { decodeJSON } from './decode-json.ts';
import { MAX_IMAGES, MAX_MANIFEST_BYTES, type PlannedImage } from './planned-image.ts';

export const MANIFEST = 'manifest.json';
type Row = Decoded<typeof archiveManifest>[number];

/** Fails with InvalidParameter in dockerd's words (image/tarexport, `Load`). */
export async function imagesOfDockerArchive(archive: Archive): Promise<PlannedImage[]> {
  const value = decodeJSON(await archive.read(MANIFEST, MAX_MANIFEST_BYTES), MANIFEST, (json) => json);
  if (value === null) throw new InvalidParameter('invalid manifest, manifest cannot be null (but can be [])');
  const rows = decodeJSON(value, MANIFEST, (json) => archiveManifest(json, 'manifest'));
  if (rows.length > MAX_IMAGES) {
    throw new InvalidParameter(`invalid manifest, ${rows.length} images: at most ${MAX_IMAGES} are loaded at once`);
  }
  const images: PlannedImage[] = [];
  for (const row of rows) images.push(await planned(archive, row));
  return images;
}

async function planned(archive: Archive, { Config, Layers, RepoTags }: Row): Promise<PlannedImage> {
  const config = await archive.read(Config, MAX_CONFIG_BYTES);
  const image = parseImage(config);
  checkImage(image, Layers.length);
  return {
    config,
    image,
    layers: Layers.map((name) => ({ part: archive.part(name), digest: null })),
    references: (RepoTags ?? []).map(tagged),
  };
}

/** What every image must be, wherever it comes from. */
export function checkImage({ config, diffIDs }: Image, layers: number): void {
  if (config.os !== '' && config.os !== 'linux') {
    throw new InvalidParameter(`cannot load ${config.os} image on linux`);
  }
  if (layers !== diffIDs.length) {
    throw new InvalidParameter(`invalid manifest, layers length mismatch: expected ${layers}, got ${diffIDs.length}`);
  }
}

function tagged(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag === null || reference.digest !== null) {
    throw new InvalidParameter(`invalid tag ${JSON.stringify(text)}`);
  }
  return reference;
}
