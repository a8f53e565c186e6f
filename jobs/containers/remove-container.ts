/** The end of a container that does not run: by `delete`, and by itself with `--rm`. The caller holds its lock. */
import createDebug from 'debug';
import type { ContainerRecord } from '../../api/container.ts';
import type { Daemon } from '../daemon.ts';
import { emitContainerEvent } from './event.ts';

const debug = createDebug('gantry:jobs:delete');
const warn = createDebug('gantry:warn:delete');

export type RemoveDeps = Pick<
  Daemon,
  'attachments' | 'containers' | 'events' | 'execs' | 'layers' | 'supervisor' | 'volumes'
>;

/**
 * Forgets the container. When it returns the record is gone and the name is free; its layer goes behind the answer, or
 * with the sweep of the next start.
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
  const State = { status: 'removing', before: container.State, volumes: options.volumes } as const;
  await containers.save({ ...container, State }, durability);
  try {
    supervisor.forget(id);
    // Before the record goes: nothing else knows of them.
    await Promise.all(own.map((name) => deps.volumes.remove(name)));
    await containers.remove(id);
  } catch (error) {
    await containers.save(container, durability).catch((cause) => warn('%s is gone, but not all of it: %O', id, cause));
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
  if (own.length === 0) return [];
  const others = containers.list().filter((container) => container.ID !== ID);
  const used = new Set(others.flatMap((container) => container.MountPoints.map((point) => point.Name)));
  return own.filter((name) => !used.has(name));
}
