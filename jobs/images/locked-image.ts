import type { Image } from '../../api/image.ts';
import { findImage } from '../../state/find-image.ts';
import type { Daemon } from '../daemon.ts';

export interface LockedImage extends AsyncDisposable {
  readonly image: Image;
}

/** The image that a user means, alone with it until disposal. Fails as `findImage` does. */
export async function lockedImage(
  deps: Pick<Daemon, 'images' | 'references'>,
  text: string,
  signal: AbortSignal,
): Promise<LockedImage> {
  for (;;) {
    const { id } = findImage(deps, text);
    const turn = await deps.images.lock.acquire(id, signal);
    try {
      // Again: while we waited it may have gone, or the name to another image.
      const image = findImage(deps, text);
      if (image.id === id) return { image, [Symbol.asyncDispose]: () => turn[Symbol.asyncDispose]() };
    } catch (error) {
      await turn[Symbol.asyncDispose]();
      throw error;
    }
    await turn[Symbol.asyncDispose]();
  }
}
