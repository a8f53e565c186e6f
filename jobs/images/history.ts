/**
 * history — the steps that made an image, the newest first.
 *
 * reads   images, references, layers
 * fails   NoSuchImage · InvalidParameter: more steps with a layer than layers
 * source  Docker Engine API, GET /images/{name}/history
 */
import { InvalidParameter } from '../../api/errors.ts';
import { chainIDs } from '../../api/ids.ts';
import { familiar } from '../../api/reference.ts';
import { findImage } from '../../state/find-image.ts';
import { fromRFC3339 } from '../../std/timestamp.ts';
import type { Daemon, JobHandler } from '../daemon.ts';

export const history =
  (deps: Pick<Daemon, 'images' | 'layers' | 'references'>): JobHandler<'history'> =>
  async (job) => {
    const image = findImage(deps, job.args[0]);
    const chains = chainIDs(image.diffIDs);
    const tags = deps.references.of(image.id).filter(({ tag }) => tag !== null);
    let layer = 0;
    const sizeOfNext = (): number => {
      const chain = chains[layer];
      if (chain === undefined) throw new InvalidParameter('too many non-empty layers in History section');
      const below = chains[layer - 1] ?? null;
      layer++;
      return deps.layers.sizeOf(chain) - deps.layers.sizeOf(below);
    };
    const rows = image.config.history.map((step) => ({
      Id: '<missing>',
      Created: Number((fromRFC3339(step.created) ?? 0n) / 1_000_000_000n),
      CreatedBy: step.created_by,
      Tags: null,
      Size: step.empty_layer ? 0 : sizeOfNext(),
      Comment: step.comment,
    }));
    const [newest, ...older] = rows.reverse();
    if (newest === undefined) return [];
    return [{ ...newest, Id: image.id, Tags: tags.length === 0 ? null : tags.map(familiar) }, ...older];
  };
