import type { ImageID } from '../api/ids.ts';
import type { Reference } from '../api/reference.ts';

/** Names of images: `<data-root>/image/repositories.json`, on disk before a change returns. */
export declare class References {
  static open(file: string): Promise<References>;
  resolve(reference: Reference): ImageID | null;
  set(reference: Reference, image: ImageID): Promise<void>;
  remove(reference: Reference): Promise<void>;
  of(image: ImageID): Reference[];
  list(): { readonly reference: Reference; readonly image: ImageID }[];
}
