import { NoSuchImage } from '../api/errors.ts';
import { imageID } from '../api/ids.ts';
import type { Image } from '../api/image.ts';
import { familiar, parseReference, withDefaultTag } from '../api/reference.ts';
import type { Images } from './images.ts';
import type { References } from './references.ts';

/**
 * The image that a user means: by name, by id (with or without `sha256:`), by a unique prefix of its digits, in this
 * order, as dockerd has it (daemon/images, `GetImage`). Fails with NoSuchImage or InvalidParameter.
 */
export function findImage({ images, references }: { images: Images; references: References }, text: string): Image {
  const whole = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text)?.[1];
  if (whole !== undefined) {
    const image = images.get(imageID(`sha256:${whole}`));
    if (image === null) throw new NoSuchImage(`sha256:${whole}`);
    return image;
  }
  const reference = withDefaultTag(parseReference(text));
  const named = references.resolve(reference);
  const image = (named && images.get(named)) ?? images.findByPrefix(text.replace(/^sha256:/, ''));
  if (image === null) throw new NoSuchImage(familiar(reference));
  return image;
}
