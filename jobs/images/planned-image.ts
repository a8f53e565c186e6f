import type { Digest } from '../../api/ids.ts';
import type { Image } from '../../api/image.ts';
import type { Reference } from '../../api/reference.ts';
import type { FilePart } from '../../state/inflate.ts';

/** An image as an archive has it: all that there is to know before its layers are unpacked. */
export interface PlannedImage {
  /** The bytes as they came. */
  readonly config: Buffer;
  readonly image: Image;
  /** Lowest first, one for each diffID of the config. */
  readonly layers: readonly PlannedLayer[];
  readonly references: readonly Reference[];
}

export interface PlannedLayer {
  readonly part: FilePart;
  /** What the bytes in the archive must hash to; null where nothing says so, and only the diffID is checked. */
  readonly digest: Digest | null;
}

/** Images of one archive. */
export const MAX_IMAGES = 1000;
/** Of a manifest or an index. */
export const MAX_MANIFEST_BYTES = 8 * 1024 ** 2;
