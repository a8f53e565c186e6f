/**
 * tag — give an image one more name; an image that had it loses it.
 *
 * locks   the image
 * emits   image tag
 * fails   NoSuchImage · InvalidParameter
 * source  Docker Engine API, POST /images/{name}/tag
 */
import { InvalidParameter } from '../../api/errors.ts';
import { familiar, parseReference, type Reference, withDefaultTag, withTag } from '../../api/reference.ts';
import { now, toRFC3339 } from '../../std/timestamp.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { emitImageEvent } from './event.ts';
import { lockedImage } from './locked-image.ts';

export const tag =
  (deps: Pick<Daemon, 'events' | 'images' | 'references'>): JobHandler<'tag'> =>
  async (job) => {
    const [source, repository, given = ''] = job.args;
    const reference = referenceOf(repository, given);
    await using locked = await lockedImage(deps, source, job.signal);
    const { image } = locked;
    await deps.references.set(reference, image.id);
    await deps.images.setLastTagged(image.id, toRFC3339(now()));
    emitImageEvent(deps.events, image, 'tag', familiar(reference));
    return null;
  };

function referenceOf(repository: string, given: string): Reference {
  const reference = parseReference(repository);
  if (reference.digest !== null) throw new InvalidParameter('refusing to create a tag with a digest reference');
  return given === '' ? withDefaultTag(reference) : withTag(reference, given);
}
