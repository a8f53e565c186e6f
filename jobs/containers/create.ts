/**
 * create — make a container from an image, without starting it.
 *
 * reads   images, references
 * makes   a read-write layer on the image's top layer; anonymous and named volumes; a container record
 * emits   volume create; container create
 * fails   NoSuchImage · NotFound (the image is for another platform) · NameInUse · InvalidParameter · NotImplemented
 * source  Docker Engine API, POST /containers/create
 */
import createDebug from 'debug';
import { type ContainerID, type LayerID, newContainerID } from '../../api/ids.ts';
import type { ContainerRecord, MountPoint } from '../../state/container-record.ts';
import { now, toRFC3339 } from '../../std/timestamp.ts';
import { Undo } from '../../std/undo.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { type Draft, type DraftDeps, draftOf } from './draft.ts';
import { emitContainerEvent } from './event.ts';
import type { MountRequest } from './mount-request.ts';
import { emitVolumeEvent } from './volume-event.ts';

const debug = createDebug('gantry:jobs:create');

type Deps = DraftDeps & Pick<Daemon, 'events' | 'layers' | 'volumes'>;

export const create =
  (deps: Deps): JobHandler<'create'> =>
  async (job) => {
    const { containers, events, layers, volumes } = deps;
    const id = newContainerID();
    const draft = await draftOf(job.env, id, deps);

    await using undo = new Undo();
    const name = reserveName(job.args[0] ?? '', id, deps, undo);
    await containers.makeFolder(id);
    undo.defer(`remove the folder of ${id}`, () => containers.remove(id));
    const layer = await layers.addReadWrite(draft.chain);
    undo.defer(`remove layer ${layer}`, () => layers.removeReadWrite(layer, draft.chain));
    const mounts: MountPoint[] = [];
    for (const request of draft.mounts) mounts.push(await mountPointOf(request, id, deps, undo));

    const record = recordOf(draft, { id, name, layer, mounts, driver: layers.driverName });
    // Whoever finds it before we have told of it waits until its volumes are in place.
    await using _turn = await containers.lock.acquire(id);
    await containers.add(record);
    await volumes.settle(id);
    undo.keep();

    emitContainerEvent(events, record, 'create');
    debug('%s is %s on %s', name, id, draft.image.id);
    return { Id: id, Warnings: [...draft.warnings] };
  };

function reserveName(asked: string, id: ContainerID, { containers }: Deps, undo: Undo): string {
  const name = asked.replace(/^\//, '');
  if (name === '') {
    const random = containers.reserveRandomName(id);
    undo.defer(`release the name ${random}`, () => containers.releaseName(random, id));
    return random;
  }
  containers.reserveName(name, id);
  undo.defer(`release the name ${name}`, () => containers.releaseName(name, id));
  return name;
}

/** Finds or makes the volume behind a mount point. A named one stays when the container is not made, as in Docker. */
async function mountPointOf(
  request: MountRequest,
  id: ContainerID,
  { events, volumes }: Deps,
  undo: Undo,
): Promise<MountPoint> {
  const { Name } = request;
  if (request.Type !== 'volume') return { ...request, Name: '' };
  const volume = Name === null ? await volumes.draft(id) : await volumes.ensure(Name);
  if (Name === null) undo.defer(`remove volume ${volume.name}`, () => volumes.remove(volume.name));
  emitVolumeEvent({ events }, volume.name, 'create');
  return { ...request, Name: volume.name, Source: volume.path };
}

interface Made {
  readonly id: ContainerID;
  readonly name: string;
  readonly layer: LayerID;
  readonly driver: string;
  readonly mounts: readonly MountPoint[];
}

export function recordOf(draft: Draft, made: Made): ContainerRecord {
  return {
    ID: made.id,
    Name: made.name,
    Created: toRFC3339(now()),
    ImageID: draft.image.id,
    Config: draft.config,
    HostConfig: draft.host,
    ...draft.command,
    Layer: made.layer,
    Chain: draft.chain,
    Driver: made.driver,
    MountPoints: made.mounts,
    LogPath: draft.log.path,
    State: { status: 'created', exitCode: 0, error: '' },
    RestartCount: 0,
    HasBeenManuallyStopped: false,
  };
}
