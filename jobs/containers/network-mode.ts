/**
 * (pure) Which network a container is to have. There is no bridge yet: a container that asks for nothing gets what
 * dockerd gives under `--bridge=none`, and is told so.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { CreateBody, HostConfig } from '../../api/container.ts';
import { InvalidParameter, NotImplemented } from '../../api/errors.ts';

export type NetworkMode =
  | { readonly kind: 'driver'; readonly name: 'none' | 'host' }
  /** The network namespace of another container. */
  | { readonly kind: 'container'; readonly container: string };

const CONTAINER = 'container:';

/** Fails with InvalidParameter or NotImplemented. */
export function networkModeOf({ NetworkMode: mode }: Pick<HostConfig, 'NetworkMode'>): NetworkMode {
  if (mode === '' || mode === 'default' || mode === 'none') return { kind: 'driver', name: 'none' };
  if (mode === 'host') return { kind: 'driver', name: 'host' };
  if (mode.startsWith(CONTAINER)) {
    const container = mode.slice(CONTAINER.length);
    if (container === '') {
      throw new InvalidParameter('Invalid network mode: invalid container format container:<name|id>');
    }
    return { kind: 'container', container };
  }
  if (mode === 'bridge') {
    throw new NotImplemented(
      'network bridge is not available: this engine has no bridge driver yet, use --network none or --network host',
    );
  }
  // Not a 404: the answer to a create, it makes `docker run` look for the image elsewhere.
  throw new InvalidParameter(`network ${mode} not found`);
}

/** Fails for what cannot be had; gives warnings for what is passed over. */
export function checkNetwork(body: CreateBody, mode: NetworkMode): string[] {
  const { HostConfig: host } = body;
  checkLinks(host, mode);
  checkPorts(host);
  if (mode.kind === 'container') refuseOwnIdentity(body);
  if (body.Hostname !== '' && host.UTSMode === 'host') {
    throw new InvalidParameter('conflicting options: hostname and the UTS mode');
  }
  checkEndpoints(body);
  const warnings: string[] = [];
  if (host.NetworkMode === '' || host.NetworkMode === 'default') {
    warnings.push(
      'No bridge network exists yet: the container has only a loopback interface. Use --network none to say so, or --network host.',
    );
  }
  warnings.push(...portWarnings(host, mode));
  if (body.MacAddress !== '') warnings.push('The MAC address is discarded: the container has no interface of its own.');
  return warnings;
}

function checkLinks({ Links }: HostConfig, mode: NetworkMode): void {
  if ((Links ?? []).length === 0) return;
  const shared = mode.kind === 'container' ? 'container type network' : mode.name === 'host' && 'host type networking';
  if (shared) {
    throw new InvalidParameter(
      `conflicting options: ${shared} can't be used with links. This would result in undefined behavior`,
    );
  }
  throw new NotImplemented('links are not available: this engine has no bridge yet');
}

function checkPorts({ PortBindings }: HostConfig): void {
  for (const [port, bindings] of Object.entries(PortBindings ?? {})) {
    const [inside = ''] = port.split('/');
    for (const text of [inside, ...(bindings ?? []).map(({ HostPort }) => HostPort.split('/')[0] ?? '')]) {
      if (text !== '' && !isPortRange(text))
        throw new InvalidParameter(`invalid port specification: ${JSON.stringify(text)}`);
    }
  }
}

/** `80`, `8000-8010`. */
function isPortRange(text: string): boolean {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  return first !== undefined && Number(first) <= Number(last) && Number(last) <= 65_535;
}

function portWarnings(host: HostConfig, mode: NetworkMode): string[] {
  const isPublishing = host.PublishAllPorts || Object.keys(host.PortBindings ?? {}).length > 0;
  if (!isPublishing) return [];
  if (mode.kind === 'driver' && mode.name === 'host') {
    return ['Published ports are discarded when using host network mode'];
  }
  if (host.NetworkMode === 'none') return [];
  throw new NotImplemented(
    'published ports are not available: this engine has no bridge network yet, use --network host to listen on the host',
  );
}

/** What belongs to the other container's network cannot be set here (runconfig/hostconfig_unix.go, and words). */
function refuseOwnIdentity({ Hostname, MacAddress, ExposedPorts, HostConfig: host }: CreateBody): void {
  const conflict = (what: string) => new InvalidParameter(`conflicting options: ${what} network mode`);
  if (Hostname !== '') throw conflict('hostname and the');
  if ((host.Dns ?? []).length > 0) throw conflict('dns and the');
  if ((host.ExtraHosts ?? []).length > 0) throw conflict('custom host-to-IP mapping and the');
  if (MacAddress !== '') throw conflict('mac-address and the');
  if (Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts)
    throw conflict('port publishing and the container type');
  if (Object.keys(ExposedPorts ?? {}).length > 0) throw conflict('port exposing and the container type');
}

/** `NetworkingConfig.EndpointsConfig`: clients name the network mode there again, with nothing said of it. */
function checkEndpoints({ NetworkingConfig, HostConfig: host }: CreateBody): void {
  const endpoints = fieldsOf(fieldsOf(NetworkingConfig)['EndpointsConfig']);
  for (const [network, settings] of Object.entries(endpoints)) {
    if (network !== (host.NetworkMode || 'default') && !(network === 'default' && host.NetworkMode === '')) {
      networkModeOf({ NetworkMode: network });
      throw new InvalidParameter(`Container cannot be connected to network endpoints: ${host.NetworkMode}, ${network}`);
    }
    const { IPAMConfig, Aliases, Links } = fieldsOf(settings);
    const { IPv4Address, IPv6Address } = fieldsOf(IPAMConfig);
    if (IPv4Address && !isIPv4(String(IPv4Address))) throw new InvalidParameter(`invalid IPv4 address: ${IPv4Address}`);
    if (IPv6Address && !isIPv6(String(IPv6Address))) throw new InvalidParameter(`invalid IPv6 address: ${IPv6Address}`);
    if (Object.values(fieldsOf(IPAMConfig)).some((value) => value !== '' && value !== null)) {
      throw new InvalidParameter('user specified IP address is supported on user defined networks only');
    }
    if ((Array.isArray(Aliases) && Aliases.length > 0) || (Array.isArray(Links) && Links.length > 0)) {
      throw new InvalidParameter('network-scoped alias is supported only for containers in user defined networks');
    }
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
