/**
 * load — take in images from an archive of `docker save` or an OCI layout.
 *
 * locks   layer by layer; the image
 * makes   layers, images, names; all of them or none
 * streams stdin: the archive; stdout: `Loading layer` with its bytes, `Loaded image: busybox:latest`
 * emits   image load
 * fails   InvalidParameter: no archive, no image in it, bytes that are not what they are said to be, a bound
 * source  Docker Engine API, POST /images/load; moby, daemon/internal/image/tarexport
 */
import { join } from 'node:path';
import { InvalidParameter, SystemFailure } from '../../api/errors.ts';
import { type ChainID, type DiffID, topChain } from '../../api/ids.ts';
import type { Image } from '../../api/image.ts';
import { familiar } from '../../api/reference.ts';
import { Inflater } from '../../state/inflate.ts';
import { type LayerSource, WrongDiffID } from '../../state/layers.ts';
import { Undo } from '../../std/undo.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import type { Host } from '../host.ts';
import { naming } from '../naming.ts';
import { Archive } from './archive.ts';
import { imagesOfDockerArchive, MANIFEST } from './docker-archive.ts';
import { emitImageEvent } from './event.ts';
import { INDEX, imagesOfLayout } from './oci-layout.ts';
import type { PlannedImage, PlannedLayer } from './planned-image.ts';
import { Progress } from './progress.ts';
import { Spool } from './spool.ts';
import { nameImage, storeImage } from './store-image.ts';
import { uncompressed } from './upload.ts';

type Deps = Pick<Daemon, 'events' | 'images' | 'layers' | 'references'> & {
  readonly host: Pick<Host, 'dataRoot'>;
};

interface Loading {
  readonly inflater: Inflater;
  readonly progress: Progress;
  readonly quiet: boolean;
  readonly signal: AbortSignal;
  /** Keeps what is unpacked until its image does. */
  readonly held: Undo;
}

export const load =
  (deps: Deps): JobHandler<'load'> =>
  async (job) => {
    await using spool = await Spool.open(join(deps.host.dataRoot, 'tmp'));
    const archive = new Archive(spool);
    const upload = uncompressed(job.stdin, spool, job.signal);
    await naming('Error processing tar file(exit status 1)', () => archive.take(upload));
    const planned = await imagesIn(archive);

    await using held = new Undo();
    await using inflater = new Inflater();
    const progress = new Progress(job);
    const loading: Loading = { inflater, progress, quiet: job.env.quiet, signal: job.signal, held };
    for (const each of planned) await unpack(deps, each, loading);

    await using undo = new Undo();
    const loaded: Image[] = [];
    const lines: string[] = [];
    for (const each of planned) {
      const storing = {
        config: each.config,
        top: topChain(each.image.diffIDs),
        isLoose: each.references.length > 0,
      };
      const image = await storeImage(deps, storing, undo);
      loaded.push(image);
      for (const reference of each.references) lines.push(...(await renamed(deps, each, reference, undo)));
    }
    job.signal.throwIfAborted();
    for (const { id } of loaded) await deps.images.settle(id);
    undo.keep();

    for (const image of loaded) emitImageEvent(deps.events, image, 'load', image.id);
    const names = planned.flatMap(({ image, references }) =>
      references.length > 0 ? references.map(familiar) : [image.id],
    );
    lines.push(...linesFor(planned));
    for (const stream of lines) await progress.tell({ stream });
    return { images: names };
  };

function imagesIn(archive: Archive): Promise<PlannedImage[]> {
  if (archive.has(MANIFEST)) return imagesOfDockerArchive(archive);
  if (archive.has(INDEX)) return imagesOfLayout(archive);
  throw new InvalidParameter(`invalid archive: does not contain a ${MANIFEST}`);
}

/** Every layer in its turn, those that are there already without being read. */
async function unpack({ layers }: Deps, { image, layers: parts }: PlannedImage, loading: Loading): Promise<void> {
  let top: ChainID | null = null;
  for (const [index, diffID] of image.diffIDs.entries()) {
    const layer = parts[index];
    if (layer === undefined) throw new SystemFailure(`layer ${index} of image ${image.id} has no place in the archive`);
    try {
      const source = sourceOf(layer, diffID, loading);
      const registered = await layers.register(top, source, diffID, loading.signal);
      top = loading.held.use(`let go of layer ${registered.chain}`, registered).chain;
    } catch (error) {
      if (!(error instanceof WrongDiffID)) throw error;
      throw new InvalidParameter(
        `invalid diffID for layer ${index}: expected "${error.expected}", got "${error.actual}"`,
        { cause: error },
      );
    }
  }
}

function sourceOf({ part, digest }: PlannedLayer, diffID: DiffID, loading: Loading): LayerSource {
  const id = diffID.slice('sha256:'.length).slice(0, 12);
  const told = loading.quiet ? () => {} : loading.progress.bytes(id, 'Loading layer', part.size);
  return (signal) => {
    const { tar, digests } = loading.inflater.inflate(part, { signal, progress: told });
    return { tar, digests: digests.then((found) => checked(found, digest)) };
  };
}

function checked<Found extends { readonly digest: string }>(found: Found, digest: string | null): Found {
  if (digest === null || digest === found.digest) return found;
  throw new InvalidParameter(`invalid archive: blob ${digest} has another digest: ${found.digest}`);
}

async function renamed(
  deps: Deps,
  { image }: PlannedImage,
  reference: PlannedImage['references'][number],
  undo: Undo,
): Promise<string[]> {
  const before = await nameImage(deps, reference, image, undo);
  if (before === null || before === image.id) return [];
  return [`The image ${familiar(reference)} already exists, renaming the old one with ID ${before} to empty string\n`];
}

/** The names; ids, all in one line of progress, only where nothing has a name. */
function linesFor(planned: readonly PlannedImage[]): string[] {
  const references = planned.flatMap((each) => each.references);
  if (references.length > 0) return references.map((reference) => `Loaded image: ${familiar(reference)}\n`);
  return [planned.map(({ image }) => `Loaded image ID: ${image.id}\n`).join('')];
}
