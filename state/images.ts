import type { ImageID } from '../api/ids.ts';
import type { Image } from '../api/image.ts';

/** Image configs by id: `<data-root>/image/configs/<hex>`, the bytes as they came. */
export declare class Images {
  static open(folder: string): Promise<Images>;
  /** Stores the config's bytes; its id is their digest. The same bytes twice are one image. Fails with InvalidParameter. */
  add(config: Buffer): Promise<Image>;
  get(id: ImageID): Image | null;
  /** By unique prefix of the hex digits, 2 to 64 of them; null when none or several. */
  findByPrefix(hex: string): Image | null;
  list(): Image[];
  /** The bytes of the config. */
  bytes(id: ImageID): Promise<Buffer>;
  remove(id: ImageID): Promise<void>;
  /** When it was last tagged, RFC 3339, or null. */
  lastTagged(id: ImageID): string | null;
  setLastTagged(id: ImageID, at: string): Promise<void>;
}
