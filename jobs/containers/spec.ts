/**
 * (pure) A container's record, settled against this machine, as an OCI runtime spec: what the exec driver is to run.
 * Defaults are Docker's (moby, oci/defaults.go, daemon/oci_linux.go).
 */
import { posix } from 'node:path';
import { capabilitiesFor } from '../../api/capabilities.ts';
import type { OciDevice, OciNamespace, OciProcess, OciSeccomp, OciSpec } from '../../api/oci.ts';
import { DEFAULT_SECCOMP_PROFILE } from '../../api/seccomp-default.ts';
import { resolveSeccompProfile } from '../../api/seccomp-profile.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Host } from '../host.ts';
import { keyOf } from './config.ts';
import { networkModeOf } from './network-mode.ts';
import { securityOptionsOf } from './security.ts';
import { type NetworkFiles, specMounts } from './spec-mounts.ts';
import { resourcesOf } from './spec-resources.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const OCI_VERSION = '1.2.0';

/** What the record alone does not say. */
export interface SpecFacts {
  readonly host: Host;
  /** Host folder on which the rootfs will be mounted. */
  readonly rootfs: string;
  /** Files of /proc/<pid>/ns that the container joins: of the host or of other containers. */
  readonly joins: Joins;
  /** Host paths of what is bound into the container's /etc. */
  readonly files: NetworkFiles;
  /** `--device`, and with `--privileged` every device of the host. */
  readonly devices: readonly OciDevice[];
}

export type Joins = Readonly<Partial<Record<'network' | 'pid', string>>>;

export function specFor(container: ContainerRecord, facts: SpecFacts): OciSpec {
  const { Config: config, HostConfig: wishes } = container;
  const { host } = facts;
  const { openSystemPaths } = securityOptionsOf(wishes);
  const isOpen = wishes.Privileged || openSystemPaths;
  const process = processOf(container, host);
  return {
    ociVersion: OCI_VERSION,
    hostname: config.Hostname,
    ...(config.Domainname === '' ? {} : { domainname: config.Domainname }),
    root: { path: facts.rootfs, readonly: wishes.ReadonlyRootfs },
    process,
    mounts: specMounts(container, facts),
    linux: {
      namespaces: namespacesOf(container, facts.joins),
      devices: facts.devices,
      resources: resourcesOf(wishes, facts.devices),
      cgroupsPath: posix.join('/', wishes.CgroupParent || host.cgroupParent, container.ID),
      sysctl: sysctlOf(container),
      maskedPaths: isOpen ? [] : (wishes.MaskedPaths ?? []),
      readonlyPaths: isOpen ? [] : (wishes.ReadonlyPaths ?? []),
      rootfsPropagation: '',
      seccomp: seccompOf(container, process.capabilities.bounding, host),
    },
    annotations: { ...wishes.Annotations },
  };
}

/** The container's first process, and what an exec in it begins with. */
export function processOf({ Config: config, HostConfig: wishes, Path, Args }: ContainerRecord, host: Host): OciProcess {
  const powers = capabilitiesFor(wishes.CapAdd ?? [], wishes.CapDrop ?? [], wishes.Privileged);
  const groups = wishes.GroupAdd ?? [];
  const isNumber = (group: string) => /^\d+$/.test(group);
  const { noNewPrivileges } = securityOptionsOf(wishes);
  return {
    terminal: config.Tty,
    user: { uid: 0, gid: 0, additionalGids: groups.filter(isNumber).map(Number), umask: 0o022 },
    groupNames: groups.filter((group) => !isNumber(group)),
    args: [Path, ...Args],
    env: environmentOf(config.Env ?? [], config.Hostname, config.Tty),
    cwd: config.WorkingDir || '/',
    capabilities: { bounding: powers, effective: powers, permitted: powers, inheritable: [], ambient: [] },
    rlimits: rlimitsOf(wishes.Ulimits ?? [], host),
    noNewPrivileges: noNewPrivileges ?? host.noNewPrivileges,
    oomScoreAdj: wishes.OomScoreAdj,
  };
}

/** What every process of a container finds, and over it what the container's config says. HOME is the driver's. */
export function environmentOf(asked: readonly string[], hostname: string, tty: boolean): string[] {
  const variables = new Map([
    ['PATH', `PATH=${DEFAULT_PATH}`],
    ['HOSTNAME', `HOSTNAME=${hostname}`],
  ]);
  if (tty) variables.set('TERM', 'TERM=xterm');
  for (const entry of asked) {
    if (entry.includes('=')) variables.set(keyOf(entry), entry);
    else variables.delete(entry);
  }
  return [...variables.values()];
}

/** The container's own, then the daemon's defaults for what it does not name. */
function rlimitsOf(own: Host['defaultUlimits'], { defaultUlimits }: Host): OciProcess['rlimits'] {
  const named = new Set(own.map(({ Name }) => Name));
  return [...own, ...defaultUlimits.filter(({ Name }) => !named.has(Name))].map(({ Name, Soft, Hard }) => ({
    type: `RLIMIT_${Name.toUpperCase()}`,
    soft: Soft,
    hard: Hard,
  }));
}

function namespacesOf({ HostConfig: wishes }: ContainerRecord, joins: Joins): OciNamespace[] {
  const mode = networkModeOf(wishes);
  const own = (type: OciNamespace['type'], path?: string) => (path === undefined ? { type } : { type, path });
  return [
    own('mount'),
    ...(mode.kind === 'driver' && mode.name === 'host' ? [] : [own('network', joins.network)]),
    ...(wishes.UTSMode === 'host' ? [] : [own('uts')]),
    ...(wishes.PidMode === 'host' ? [] : [own('pid', joins.pid)]),
    ...(wishes.IpcMode === 'host' ? [] : [own('ipc')]),
    ...(wishes.CgroupnsMode === 'private' ? [own('cgroup')] : []),
  ];
}

/** Ports below 1024 and ping need no capability in a network of the container's own. */
function sysctlOf({ HostConfig: wishes }: ContainerRecord): Record<string, string> {
  const mode = networkModeOf(wishes);
  const hasOwnNetwork = mode.kind === 'driver' && mode.name === 'none';
  const defaults = hasOwnNetwork
    ? { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }
    : {};
  return { ...defaults, ...wishes.Sysctls };
}

function seccompOf(
  { HostConfig: wishes }: ContainerRecord,
  capabilities: readonly string[],
  host: Host,
): OciSeccomp | null {
  const { seccomp } = securityOptionsOf(wishes);
  if (seccomp === 'unconfined' || (wishes.Privileged && seccomp === 'default')) return null;
  const profile = seccomp === 'default' ? DEFAULT_SECCOMP_PROFILE : seccomp;
  return resolveSeccompProfile(profile, {
    arch: nodeArch(host.architecture),
    capabilities,
    kernel: host.kernelVersion,
  });
}

function nodeArch(machine: string): string {
  return machine === 'x86_64' ? 'x64' : machine === 'aarch64' ? 'arm64' : machine;
}
