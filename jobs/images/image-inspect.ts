/**
 * image_inspect — all there is to know of an image.
 *
 * reads   images, references, layers
 * fails   NoSuchImage · InvalidParameter
 * source  Docker Engine API, GET /images/{name}/json
 */
import { topChain } from '../../api/ids.ts';
import type { ImageRunConfig } from '../../api/image.ts';
import { familiar } from '../../api/reference.ts';
import { findImage } from '../../state/find-image.ts';
import { omitEmpty } from '../../std/omit-empty.ts';
import { NEVER } from '../../std/timestamp.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { naming } from '../naming.ts';

export const imageInspect =
  (deps: Pick<Daemon, 'images' | 'layers' | 'references'>): JobHandler<'image_inspect'> =>
  async (job) => {
    const { layers, references, images } = deps;
    const image = await naming(`no such image: ${job.args[0]}`, async () => findImage(deps, job.args[0]));
    const { config } = image;
    const names = references.of(image.id);
    const top = topChain(image.diffIDs);
    const data = top !== null && layers.has(top) ? await layers.chainMetadata(top) : null;
    return {
      Id: image.id,
      RepoTags: names.filter(({ tag }) => tag !== null).map(familiar),
      RepoDigests: names.filter(({ digest }) => digest !== null).map(familiar),
      Parent: '',
      Comment: config.comment || (config.history.at(-1)?.comment ?? ''),
      Created: config.created,
      DockerVersion: config.docker_version,
      Author: config.author,
      Config: shownConfig(config.config),
      Architecture: config.architecture,
      ...(config.variant !== '' && { Variant: config.variant }),
      Os: config.os || 'linux',
      ...(config['os.version'] !== '' && { OsVersion: config['os.version'] }),
      Size: layers.sizeOf(top),
      GraphDriver: { Data: data, Name: layers.driverName },
      RootFS: { Type: config.rootfs.type, ...(image.diffIDs.length > 0 && { Layers: image.diffIDs }) },
      Metadata: { LastTagTime: images.lastTagged(image.id) ?? NEVER },
    };
  };

/** Some keys are always there, the others only with something in them, as in Engine 28. */
function shownConfig(config: ImageRunConfig): Record<string, unknown> {
  const { Cmd, Entrypoint, Env, Labels, OnBuild, User, Volumes, WorkingDir, ...rest } = config;
  return { Cmd, Entrypoint, Env, Labels, OnBuild, User, Volumes, WorkingDir, ...omitEmpty(rest) };
}
