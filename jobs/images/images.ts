/**
 * images — list images, the newest first.
 *
 * reads   images, references, layers
 * fails   InvalidParameter: a filter · NoSuchImage: in `before` or `since`
 * source  Docker Engine API, GET /images/json
 */
import { topChain } from '../../api/ids.ts';
import type { Image, ImageSummary } from '../../api/image.ts';
import { familiar, type Reference } from '../../api/reference.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { createdAt, imageFilter } from './image-filters.ts';

type Deps = Pick<Daemon, 'images' | 'layers' | 'references'>;

export const images =
  (deps: Deps): JobHandler<'images'> =>
  async (job) => {
    const filter = imageFilter(deps, job.env.filters);
    const rows: (ImageSummary & { readonly Created: number })[] = [];
    for (const image of deps.images.list()) {
      if (!isWhole(deps, image) || !filter.accepts(image)) continue;
      const shown = filter.shown(deps.references.of(image.id));
      if (filter.acceptsNames(shown)) rows.push(rowFor(deps, image, shown));
    }
    return rows.sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
  };

/** Layers belong to a graph driver: an image taken in under another one is not here as long as this one is used. */
function isWhole({ layers }: Deps, { diffIDs }: Image): boolean {
  const top = topChain(diffIDs);
  return top === null || layers.has(top);
}

/** -1: not counted, as long as nobody asks for it. */
function rowFor({ layers }: Deps, image: Image, references: readonly Reference[]) {
  return {
    Id: image.id,
    ParentId: '',
    RepoTags: references.filter(({ tag }) => tag !== null).map(familiar),
    RepoDigests: references.filter(({ digest }) => digest !== null).map(familiar),
    Created: Number((createdAt(image) ?? 0n) / 1_000_000_000n),
    Size: layers.sizeOf(topChain(image.diffIDs)),
    SharedSize: -1,
    Labels: image.config.config.Labels,
    Containers: -1,
  };
}
