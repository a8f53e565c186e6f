/**
 * container_inspect — everything that is known of a container.
 *
 * reads   the container's record and layer, its execs
 * fails   NoSuchContainer
 * source  Docker Engine API, GET /containers/{id}/json
 */
import { join } from 'node:path';
import type { ContainerConfig, HostConfig } from '../../api/container.ts';
import type { ContainerRecord, MountPoint } from '../../state/container-record.ts';
import { isEmpty, omitEmpty } from '../../std/omit-empty.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { isAlive } from './life.ts';
import { networkSettingsOf } from './network-settings.ts';
import { sizesOf } from './sizes.ts';
import { inspectState } from './status.ts';

type Deps = Pick<Daemon, 'containers' | 'execs' | 'layers' | 'networks'>;

export const containerInspect =
  (deps: Deps): JobHandler<'container_inspect'> =>
  async (job) => {
    const container = deps.containers.get(job.args[0]);
    const { ID } = container;
    const folder = deps.containers.folder(ID);
    const [data, sizes] = await Promise.all([
      deps.layers.metadata(container.Layer),
      job.env.size ? sizesOf(container, deps) : {},
    ]);
    return {
      Id: ID,
      Created: container.Created,
      Path: container.Path,
      Args: container.Args,
      State: inspectState(container.State),
      Image: container.ImageID,
      ResolvConfPath: join(folder, 'resolv.conf'),
      HostnamePath: join(folder, 'hostname'),
      HostsPath: join(folder, 'hosts'),
      LogPath: container.LogPath,
      Name: `/${container.Name}`,
      RestartCount: container.RestartCount,
      Driver: container.Driver,
      Platform: 'linux',
      MountLabel: '',
      ProcessLabel: '',
      AppArmorProfile: '',
      ExecIDs: runningExecs(container, deps),
      HostConfig: wireHostConfig(container.HostConfig),
      GraphDriver: { Data: data, Name: container.Driver },
      ...sizes,
      Mounts: container.MountPoints.map(wireMountPoint),
      Config: wireConfig(container.Config),
      NetworkSettings: networkSettingsOf(container, deps),
    };
  };

function runningExecs({ ID, State }: ContainerRecord, { execs }: Deps): string[] | null {
  const running = isAlive(State) ? execs.of(ID).filter((exec) => exec.State.status === 'running') : [];
  return running.length > 0 ? running.map((exec) => exec.ID) : null;
}

/** Volume names and drivers are told of volumes only. In Docker's order, since `docker inspect` prints what comes. */
export function wireMountPoint(point: MountPoint) {
  return {
    Type: point.Type,
    ...(point.Name === '' ? {} : { Name: point.Name }),
    Source: point.Source,
    Destination: point.Destination,
    ...(point.Driver === '' ? {} : { Driver: point.Driver }),
    Mode: point.Mode,
    RW: point.RW,
    Propagation: point.Propagation,
  };
}

/** Left out where they say nothing: `omitempty` of moby's types. */
const OPTIONAL_CONFIG = [
  'ExposedPorts',
  'Healthcheck',
  'ArgsEscaped',
  'NetworkDisabled',
  'MacAddress',
  'StopSignal',
  'StopTimeout',
  'Shell',
];
const OPTIONAL_HOST_CONFIG = ['Annotations', 'StorageOpt', 'Tmpfs', 'Sysctls', 'Mounts', 'Init', 'KernelMemoryTCP'];

function wireConfig(config: ContainerConfig) {
  const { Healthcheck, Labels } = config;
  const health = Healthcheck === null ? null : omitEmpty(Healthcheck);
  return { ...withoutEmpty({ ...config, Healthcheck: health }, OPTIONAL_CONFIG), Labels: Labels ?? {} };
}

function wireHostConfig(host: HostConfig) {
  return withoutEmpty({ ...host, Mounts: host.Mounts?.map(omitEmpty) ?? null }, OPTIONAL_HOST_CONFIG);
}

function withoutEmpty(fields: object, optional: readonly string[]): Record<string, unknown> {
  const kept = Object.entries(fields).filter(([name, value]) => !optional.includes(name) || !isEmpty(value));
  return Object.fromEntries(kept);
}
