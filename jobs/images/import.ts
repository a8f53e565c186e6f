/**
 * import — make an image of the tar of a root file system.
 *
 * locks   the layer; the image
 * makes   a layer, an image, a name; all of them or none
 * streams stdin: the tar, compressed or not; stdout: the image id
 * emits   image tag, image import
 * fails   InvalidParameter: reference, change, platform, tar; NotImplemented: a source that is an address
 * source  Docker Engine API, POST /images/create (fromSrc); moby, daemon/images/image_import.go
 */
import { join } from 'node:path';
import { InvalidParameter, NotImplemented } from '../../api/errors.ts';
import type { DiffID } from '../../api/ids.ts';
import type { ImageRunConfig } from '../../api/image.ts';
import { type Platform, parsePlatform } from '../../api/platform.ts';
import { familiar, parseReference, type Reference, withDefaultTag, withTag } from '../../api/reference.ts';
import { Inflater } from '../../state/inflate.ts';
import { now, toRFC3339 } from '../../std/timestamp.ts';
import { Undo } from '../../std/undo.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import type { Host } from '../host.ts';
import { configFrom } from './changes.ts';
import { emitImageEvent } from './event.ts';
import { Progress } from './progress.ts';
import { Spool } from './spool.ts';
import { nameImage, storeImage } from './store-image.ts';
import { chunksOf } from './upload.ts';

type Deps = Pick<Daemon, 'events' | 'images' | 'layers' | 'references'> & {
  readonly host: Pick<Host, 'architecture' | 'dataRoot'>;
};

const MAX_MESSAGE_LENGTH = 64 * 1024;

interface Described {
  readonly config: ImageRunConfig;
  readonly message: string;
  readonly platform: Platform;
}

export const importImage =
  (deps: Deps): JobHandler<'import'> =>
  async (job) => {
    const [source, repository = '', tag = ''] = job.args;
    if (source !== '-') {
      throw new NotImplemented(
        `importing from ${source} is not there yet: give the tar on standard input (docker import -)`,
      );
    }
    const reference = repository === '' ? null : referenceOf(repository, tag);
    const described = describedBy(job.env, deps.host.architecture);

    await using spool = await Spool.open(join(deps.host.dataRoot, 'tmp'));
    const part = await spool.append(chunksOf(job.stdin, job.signal));
    if (part.size === 0) throw new InvalidParameter('unexpected EOF: there is no tar on standard input');
    await using inflater = new Inflater();
    await using layer = await deps.layers.register(
      null,
      (signal) => inflater.inflate(part, { signal }),
      null,
      job.signal,
    );

    await using undo = new Undo();
    const config = configJSON(described, layer.diffID);
    const image = await storeImage(deps, { config, top: layer.chain, isLoose: reference !== null }, undo);
    if (reference !== null) {
      await nameImage(deps, reference, image, undo);
      await deps.images.settle(image.id);
      await deps.images.setLastTagged(image.id, toRFC3339(now()));
    }
    job.signal.throwIfAborted();
    undo.keep();

    if (reference !== null) emitImageEvent(deps.events, image, 'tag', familiar(reference));
    emitImageEvent(deps.events, image, 'import', image.id);
    await new Progress(job).tell({ status: image.id });
    return { id: image.id };
  };

function referenceOf(repository: string, tag: string): Reference {
  const reference = parseReference(repository);
  if (reference.digest !== null) throw new InvalidParameter('cannot import digest reference');
  return tag === '' ? withDefaultTag(reference) : withTag(reference, tag);
}

function describedBy(
  { message, changes, platform }: { message: string; changes: readonly string[]; platform: string },
  machine: string,
): Described {
  if (message.length > MAX_MESSAGE_LENGTH) {
    throw new InvalidParameter(`message is over ${MAX_MESSAGE_LENGTH} characters`);
  }
  const settled = parsePlatform(platform || 'linux', machine);
  if (settled.os !== 'linux') throw new InvalidParameter(`operating system is not supported: ${settled.os}`);
  return { config: configFrom(changes), message, platform: settled };
}

function configJSON({ config, message, platform }: Described, layer: DiffID): Buffer {
  const created = toRFC3339(now());
  const { variant, ...plain } = platform;
  return Buffer.from(
    JSON.stringify({
      ...plain,
      ...(variant !== '' && { variant }),
      created,
      comment: message,
      config,
      rootfs: { type: 'layers', diff_ids: [layer] },
      history: [{ created, comment: message }],
    }),
  );
}
