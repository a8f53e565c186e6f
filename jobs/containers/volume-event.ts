import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon } from '../daemon.ts';

type Deps = Pick<Daemon, 'events'>;

/** A volume is made, or goes. As in dockerd, a container that names one that is there tells of it too. */
export function emitVolumeEvent({ events }: Deps, name: string, action: 'create' | 'destroy'): void {
  events.emit({ Type: 'volume', Action: action, Actor: { ID: name, Attributes: { driver: 'local' } } });
}

/** A container takes up its volumes, or lets go of them. */
export function emitVolumeUse(
  { events }: Deps,
  { ID, MountPoints }: ContainerRecord,
  action: 'mount' | 'unmount',
): void {
  for (const { Type, Name, Destination, RW, Propagation } of MountPoints) {
    if (Type !== 'volume') continue;
    const where = { destination: Destination, propagation: Propagation, 'read/write': String(RW) };
    const attributes = { container: ID, driver: 'local', ...(action === 'mount' && where) };
    events.emit({ Type: 'volume', Action: action, Actor: { ID: Name, Attributes: attributes } });
  }
}
