import type { ChainID } from '../../api/ids.ts';
import { imageID, sha256 } from '../../api/ids.ts';
import type { Image } from '../../api/image.ts';
import type { Reference } from '../../api/reference.ts';
import type { Undo } from '../../std/undo.ts';
import type { Daemon } from '../daemon.ts';

type Deps = Pick<Daemon, 'images' | 'layers' | 'references'>;

/** What is stored of an image before it is given its names. */
export interface Storing {
  readonly config: Buffer;
  readonly top: ChainID | null;
  /** Names are to come: until `images.settle` it goes with the daemon, unless it has one by then. */
  readonly isLoose: boolean;
}

/** Adds an image that stands on `top`, which it keeps from now on. Undone, it is as it was before. */
export async function storeImage(deps: Deps, { config, top, isLoose }: Storing, undo: Undo): Promise<Image> {
  const { images, layers, references } = deps;
  const id = imageID(sha256(config));
  await using _turn = await images.lock.acquire(id);
  const isNew = images.get(id) === null;
  if (top !== null) layers.retain(top, id);
  if (isNew) {
    undo.defer(`remove image ${id}`, async () => {
      await using _again = await images.lock.acquire(id);
      if (references.of(id).length > 0) return images.settle(id);
      await images.remove(id);
      if (top !== null) await layers.release(top, id);
    });
  }
  return await images.add(config, { isLoose });
}

/** Gives an image a name. Undone, the image that had it has it again. Gives that one's id. */
export async function nameImage({ references }: Deps, reference: Reference, image: Image, undo: Undo) {
  const before = references.resolve(reference);
  undo.defer('give the name back', () =>
    before === null ? references.remove(reference) : references.set(reference, before),
  );
  await references.set(reference, image.id);
  return before;
}
