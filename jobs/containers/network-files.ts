/** hostname, hosts and resolv.conf: written into the container's folder at every start, and bound into its /etc. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostConfig } from '../../api/container.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import { splitExtraHost } from './host-config.ts';
import { networkModeOf } from './network-mode.ts';
import type { NetworkFiles } from './spec-mounts.ts';

const NAMES = ['resolv.conf', 'hostname', 'hosts'] as const;

const LOCALHOST = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** Where they are, or will be. A container in another's network has the other's. */
export function networkFilePaths(
  container: ContainerRecord,
  folder: string,
  sharedFolder: string | null,
): NetworkFiles {
  const source = sharedFolder ?? folder;
  const taken = new Set(container.MountPoints.map((point) => point.Destination));
  const free = NAMES.filter((name) => !taken.has(`/etc/${name}`));
  return Object.fromEntries(free.map((name) => [name, join(source, name)]));
}

export async function writeNetworkFiles(
  { Config, HostConfig: wishes }: ContainerRecord,
  folder: string,
): Promise<void> {
  const mode = networkModeOf(wishes);
  if (mode.kind === 'container') return;
  const isHost = mode.name === 'host';
  const [hostHosts, hostResolv] = await Promise.all([isHost ? textOf('/etc/hosts') : '', textOf('/etc/resolv.conf')]);
  const contents = {
    hostname: `${Config.Hostname}\n`,
    hosts: isHost ? withExtraHosts(hostHosts, wishes) : hostsFile(wishes),
    'resolv.conf': resolvFile(hostResolv, wishes),
  };
  await Promise.all(NAMES.map((name) => writeFile(join(folder, name), contents[name], { mode: 0o644 })));
}

/** The host may have none. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

export function hostsFile(wishes: Pick<HostConfig, 'ExtraHosts'>): string {
  return withExtraHosts(`${LOCALHOST.join('\n')}\n`, wishes);
}

function withExtraHosts(base: string, { ExtraHosts }: Pick<HostConfig, 'ExtraHosts'>): string {
  const lines = (ExtraHosts ?? []).map((entry) => {
    const [name, address] = splitExtraHost(entry);
    return `${address}\t${name}\n`;
  });
  const end = base === '' || base.endsWith('\n') ? '' : '\n';
  return base + end + lines.join('');
}

/** The host's, and in its place whatever `--dns`, `--dns-search` and `--dns-option` say (resolv.conf(5)). */
export function resolvFile(
  host: string,
  { Dns, DnsSearch, DnsOptions }: Pick<HostConfig, 'Dns' | 'DnsSearch' | 'DnsOptions'>,
): string {
  const asked = { search: DnsSearch ?? [], nameserver: Dns ?? [], options: DnsOptions ?? [] };
  if (asked.search.length + asked.nameserver.length + asked.options.length === 0) return host;
  const kept = (keyword: string) => host.split('\n').filter((line) => line.split(/\s/, 1)[0] === keyword);
  const search = asked.search.filter((domain) => domain !== '.');
  const lines = [
    ...(asked.search.length === 0 ? kept('search') : search.length === 0 ? [] : [`search ${search.join(' ')}`]),
    ...(asked.nameserver.length === 0 ? kept('nameserver') : asked.nameserver.map((each) => `nameserver ${each}`)),
    ...(asked.options.length === 0 ? kept('options') : [`options ${asked.options.join(' ')}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
