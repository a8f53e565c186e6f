import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon } from '../daemon.ts';
import { networkModeOf } from './network-mode.ts';

/** Docker's word for the driver behind a network. */
const DRIVERS: Readonly<Record<string, string>> = { none: 'null', host: 'host' };

/** A container comes to a network or leaves it. As in dockerd, nothing is told where no network was asked for. */
export function emitNetworkEvent(
  { events, networks }: Pick<Daemon, 'events' | 'networks'>,
  { ID, HostConfig }: ContainerRecord,
  action: 'connect' | 'disconnect',
): void {
  const mode = networkModeOf(HostConfig);
  if (mode.kind === 'container' || mode.name !== HostConfig.NetworkMode) return;
  const id = networks.get(mode.name)?.id ?? '';
  const attributes = { container: ID, name: mode.name, type: DRIVERS[mode.name] ?? mode.name };
  events.emit({ Type: 'network', Action: action, Actor: { ID: id, Attributes: attributes } });
}
