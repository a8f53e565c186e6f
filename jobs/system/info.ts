import { access, readdir } from 'node:fs/promises';
import { PRODUCT_VERSION } from '../../api/system.ts';
import type { ContainerState } from '../../state/container-record.ts';
import { now, toRFC3339 } from '../../std/timestamp.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { type Abilities, warningsOf } from './machine.ts';

type Deps = Pick<Daemon, 'containers' | 'events' | 'images' | 'layers' | 'logs' | 'networks' | 'host'>;

/** What `info` tells beside the stores and the host. */
export interface InfoSources {
  readonly abilities: Abilities;
  readonly osVersion: string;
  /** Addresses on TCP without client certificates, for a warning. */
  readonly openAddresses: readonly string[];
}

/**
 * info — what this engine has, can do and runs on.
 *
 * reads   containers, images, layers, host
 * source  Docker Engine API, GET /info; docker info prints it
 */
export const info =
  (deps: Deps, sources: InfoSources): JobHandler<'info'> =>
  async () => {
    const { host, images, layers } = deps;
    return {
      ID: host.id,
      ...containerCounts(deps),
      Images: images.list().length,
      Driver: layers.driverName,
      DriverStatus: await layers.status(),
      Plugins: {
        Volume: ['local'],
        Network: [...deps.networks.keys()].map((name) => (name === 'none' ? 'null' : name)),
        Authorization: null,
        Log: [...deps.logs.keys()],
      },
      ...sources.abilities,
      ...activity(host.debug),
      NFd: (await readdir('/proc/self/fd')).length,
      NEventsListener: deps.events.listeners,
      SystemTime: toRFC3339(now()),
      ...machineOf(host, sources),
      ...registryOf(),
      ...proxies(),
      Name: host.hostname,
      Labels: host.labels,
      ServerVersion: PRODUCT_VERSION,
      ...runtimesOf(host),
      DockerRootDir: host.dataRoot,
      SecurityOptions: await securityOptions(host),
      Warnings: [...openWarnings(sources.openAddresses), ...warningsOf(sources.abilities, host.cgroup !== 'v2')],
    };
  };

function containerCounts({ containers }: Deps) {
  const states = containers.list().map((record) => kindOf(record.State));
  const count = (kind: string) => states.filter((each) => each === kind).length;
  return {
    Containers: states.length,
    ContainersRunning: count('running'),
    ContainersPaused: count('paused'),
    ContainersStopped: count('stopped'),
  };
}

function kindOf(state: ContainerState): 'running' | 'paused' | 'stopped' {
  if (state.status === 'paused') return 'paused';
  return state.status === 'running' || state.status === 'restarting' ? 'running' : 'stopped';
}

function activity(debug: boolean) {
  return { Debug: debug, NGoroutines: process.getActiveResourcesInfo().length };
}

function machineOf(host: Deps['host'], { osVersion }: InfoSources) {
  return {
    LoggingDriver: host.defaultLogDriver,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: host.cgroup === 'v2' ? '2' : '1',
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.operatingSystem,
    OSVersion: osVersion,
    OSType: 'linux',
    Architecture: host.architecture,
    NCPU: host.cpus,
    MemTotal: host.memory,
    GenericResources: null,
    Isolation: '',
    CDISpecDirs: [],
  };
}

function registryOf() {
  const hub = { Name: 'docker.io', Mirrors: [], Secure: true, Official: true };
  return {
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
      IndexConfigs: { 'docker.io': hub },
      Mirrors: null,
    },
  };
}

function proxies() {
  const of = (name: string) => process.env[name] ?? process.env[name.toLowerCase()] ?? '';
  return { HttpProxy: of('HTTP_PROXY'), HttpsProxy: of('HTTPS_PROXY'), NoProxy: of('NO_PROXY') };
}

function runtimesOf(host: Deps['host']) {
  const none = { ID: '' };
  return {
    ExperimentalBuild: false,
    Runtimes: { [host.defaultRuntime]: { path: 'gantry-init' } },
    DefaultRuntime: host.defaultRuntime,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    InitBinary: 'gantry-init',
    ContainerdCommit: none,
    RuncCommit: none,
    InitCommit: none,
  };
}

async function securityOptions(host: Deps['host']): Promise<string[]> {
  const hasSeccomp = await access('/proc/sys/kernel/seccomp').then(
    () => true,
    () => false,
  );
  const options = hasSeccomp ? ['name=seccomp,profile=builtin'] : [];
  if (host.noNewPrivileges) options.push('name=no-new-privileges');
  if (host.cgroup === 'v2') options.push('name=cgroupns');
  return options;
}

function openWarnings(addresses: readonly string[]): string[] {
  return addresses.map(
    (address) =>
      `WARNING: API is accessible on ${address} without encryption.\n` +
      '         Access to the remote API is equivalent to root access on the host. Refer\n' +
      "         to the 'Docker daemon attack surface' section in the documentation for\n" +
      '         more information: https://docs.docker.com/go/attack-surface/',
  );
}
