/** The end of a container that does not run: by `delete`, and by itself with `--rm`. The caller holds its lock. */
import createDebug from 'debug';
import type { ContainerRecord } from '../../state/container-record.ts';
import { messageOf } from '../../std/thrown.ts';
import type { Daemon } from '../daemon.ts';
import { emitContainerEvent } from './event.ts';
import { stateBeforeRemoval } from './life.ts';
import { emitVolumeEvent } from './volume-event.ts';

const debug = createDebug('gantry:jobs:delete');
const warn = createDebug('gantry:warn:delete');

export type RemoveDeps = Pick<
  Daemon,
  'attachments' | 'containers' | 'events' | 'execs' | 'layers' | 'supervisor' | 'volumes'
>;

/**
 * Forgets the container. When it returns the record is gone and the name is free; its layer goes behind the answer, or
 * with the sweep of the next start. When it fails the container is dead: all that is left to do with it is to remove it
 * again, which the next daemon does by itself where volumes were to go too.
 */
export async function removeContainer(
  container: ContainerRecord,
  options: { readonly volumes: boolean },
  deps: RemoveDeps,
): Promise<void> {
  const { attachments, containers, events, execs, supervisor } = deps;
  const { ID: id } = container;
  const own = options.volumes ? anonymousVolumesOf(container, deps) : [];
  // Without its volumes it is of no use to anyone: whoever comes back in the middle carries the removal through.
  const durability = own.length > 0 ? 'written' : 'memory';
  const before = stateBeforeRemoval(container.State);
  await containers.save({ ...container, State: { status: 'removing', before, volumes: options.volumes } }, durability);
  try {
    supervisor.forget(id);
    // Before the record goes: nothing else knows of them.
    await Promise.all(own.map((name) => deps.volumes.remove(name)));
    for (const name of own) emitVolumeEvent(deps, name, 'destroy');
    await containers.remove(id);
  } catch (error) {
    const State = { status: 'dead', before, error: messageOf(error) } as const;
    await containers.save({ ...container, State }, 'memory');
    throw error;
  }
  attachments.abandon(id);
  execs.removeAll(id);
  emitContainerEvent(events, container, 'destroy');
  debug('%s is gone', id);
  void removeLayer(container, deps);
}

async function removeLayer({ ID, Layer, Chain }: ContainerRecord, { layers, supervisor }: RemoveDeps): Promise<void> {
  try {
    await supervisor.tornDown(ID);
    await layers.removeReadWrite(Layer, Chain);
  } catch (error) {
    warn('layer %s of %s stays until the next start: %O', Layer, ID, error);
  }
}

/** Those made for this container that no other has taken over by `--volumes-from`. */
function anonymousVolumesOf({ ID, MountPoints }: ContainerRecord, deps: RemoveDeps): string[] {
  const { containers, volumes } = deps;
  const own = MountPoints.map((point) => point.Name).filter((name) => volumes.get(name)?.anonymous === true);
  return own.filter((name) => containers.ofVolume(name).every((container) => container.ID === ID));
}
