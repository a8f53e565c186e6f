import { NotFound } from '../api/errors.ts';
import { type Filters, matchesAny } from '../api/filters.ts';
import type { VolumeInspect } from '../api/resources.ts';
import type { Volume } from '../state/volumes.ts';
import type { Daemon, JobHandler } from './daemon.ts';

type Deps = Pick<Daemon, 'volumes' | 'containers'>;

/**
 * volumes — the local volumes, as rows.
 *
 * reads   volumes, containers
 * source  Docker Engine API, GET /volumes
 */
export const volumes =
  (deps: Deps): JobHandler<'volumes'> =>
  async (job) => {
    const found = deps.volumes.list().filter((volume) => fits(job.env.filters, volume, deps));
    return found.map(inspect);
  };

/**
 * volume_inspect — one of them, by name.
 *
 * fails   NotFound
 * source  Docker Engine API, GET /volumes/{name}
 */
export const volumeInspect =
  ({ volumes: store }: Deps): JobHandler<'volume_inspect'> =>
  async (job) => {
    const [name] = job.args;
    const volume = store.get(name);
    if (volume === null) throw new NotFound(`get ${name}: no such volume`);
    return inspect(volume);
  };

function inspect(volume: Volume): VolumeInspect {
  return {
    CreatedAt: volume.createdAt,
    Driver: 'local',
    Labels: volume.anonymous ? { 'com.docker.volume.anonymous': '' } : null,
    Mountpoint: volume.path,
    Name: volume.name,
    Options: null,
    Scope: 'local',
  };
}

function fits(filters: Filters, volume: Volume, { containers }: Deps): boolean {
  const isUsed = () => containers.ofVolume(volume.name).length > 0;
  return (
    matchesAny(filters, 'name', (value) => volume.name.includes(value)) &&
    matchesAny(filters, 'driver', (value) => value === 'local') &&
    matchesAny(filters, 'label', (value) => volume.anonymous && value === 'com.docker.volume.anonymous') &&
    matchesAny(filters, 'dangling', (value) => ['1', 'true'].includes(value) === !isUsed())
  );
}
