import type { NetworkPlan } from '../../drivers/network/driver.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon } from '../daemon.ts';
import { isAlive } from './life.ts';
import { networkModeOf } from './network-mode.ts';

/** `NetworkSettings.Networks`: network → the container's place on it; of one that does not run only the names are known. */
export function endpointsOf(
  { ID, State, HostConfig }: ContainerRecord,
  { networks }: Pick<Daemon, 'networks'>,
): NetworkPlan['endpoints'] {
  const mode = networkModeOf(HostConfig);
  if (mode.kind === 'container') return {};
  const endpoints = networks.get(mode.name)?.endpoints(ID) ?? {};
  if (isAlive(State)) return endpoints;
  const away = Object.entries(endpoints).map(([name, endpoint]) => [
    name,
    { ...endpoint, NetworkID: '', EndpointID: '' },
  ]);
  return Object.fromEntries(away);
}

/** `NetworkSettings` of inspect, with the fields of one bridge that clients of old still read. */
export function networkSettingsOf(container: ContainerRecord, deps: Pick<Daemon, 'networks'>) {
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: '',
    Ports: {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: '',
    Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    MacAddress: '',
    Networks: endpointsOf(container, deps),
  };
}
