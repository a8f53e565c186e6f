/**
 * A container in Docker's words: what a client asks for, what it is answered. Field names are the wire's own (Docker
 * Engine API v1.50, `ContainerConfig`, `HostConfig`, `ContainerInspectResponse`).
 */
import {
  anything,
  type Decoded,
  flag,
  integer,
  list,
  nullable,
  number,
  object,
  optional,
  record,
  text,
} from '../std/decode.ts';
import { InvalidParameter } from './errors.ts';

/** A program and its arguments. Old clients send one string where one word is meant. */
const words = (value: unknown, path: string): string[] =>
  typeof value === 'string' ? [value] : list(text)(value, path);
const emptySet = object({});

export const healthcheck = object({
  Test: optional(list(text), []),
  /** Nanoseconds, 0 for the default. */
  Interval: optional(integer, 0),
  Timeout: optional(integer, 0),
  StartPeriod: optional(integer, 0),
  StartInterval: optional(integer, 0),
  Retries: optional(integer, 0),
});

/** What to run. `null` where Docker tells "not said" from "said to be empty". */
export const containerConfig = object({
  Hostname: optional(text, ''),
  Domainname: optional(text, ''),
  User: optional(text, ''),
  AttachStdin: optional(flag, false),
  AttachStdout: optional(flag, false),
  AttachStderr: optional(flag, false),
  ExposedPorts: nullable(record(emptySet)),
  Tty: optional(flag, false),
  OpenStdin: optional(flag, false),
  StdinOnce: optional(flag, false),
  /** `KEY=value`; `KEY` alone takes the key out of what the image sets. */
  Env: nullable(list(text)),
  Cmd: nullable(words),
  Healthcheck: nullable(healthcheck),
  ArgsEscaped: optional(flag, false),
  Image: optional(text, ''),
  Volumes: nullable(record(emptySet)),
  WorkingDir: optional(text, ''),
  Entrypoint: nullable(words),
  NetworkDisabled: optional(flag, false),
  MacAddress: optional(text, ''),
  OnBuild: nullable(list(text)),
  Labels: nullable(record(text)),
  StopSignal: optional(text, ''),
  /** Seconds; null for the default of 10. */
  StopTimeout: nullable(integer),
  Shell: nullable(list(text)),
});
export type ContainerConfig = Decoded<typeof containerConfig>;

const restartPolicy = object({
  /** '', `no`, `always`, `unless-stopped` or `on-failure`; jobs/containers/host-config.ts refuses the rest. */
  Name: optional(text, 'no'),
  MaximumRetryCount: optional(integer, 0),
});

const MOUNT_TYPES = ['bind', 'volume', 'tmpfs', 'npipe', 'cluster', 'image'] as const;

/** Fails with InvalidParameter in Docker's words. */
function mountType(value: unknown): (typeof MOUNT_TYPES)[number] {
  const found = MOUNT_TYPES.find((each) => each === value);
  if (found === undefined)
    throw new InvalidParameter(`invalid mount config for type ${JSON.stringify(value)}: mount type unknown`);
  return found;
}

/** One entry of `HostConfig.Mounts` (`--mount`). */
export const mount = object({
  Type: optional(mountType, 'volume'),
  Source: optional(text, ''),
  Target: optional(text, ''),
  ReadOnly: optional(flag, false),
  Consistency: optional(text, ''),
  BindOptions: nullable(
    object({
      Propagation: optional(text, ''),
      NonRecursive: optional(flag, false),
      CreateMountpoint: optional(flag, false),
      ReadOnlyNonRecursive: optional(flag, false),
      ReadOnlyForceRecursive: optional(flag, false),
    }),
  ),
  VolumeOptions: nullable(
    object({
      NoCopy: optional(flag, false),
      Labels: nullable(record(text)),
      DriverConfig: nullable(object({ Name: optional(text, ''), Options: nullable(record(text)) })),
      Subpath: optional(text, ''),
    }),
  ),
  TmpfsOptions: nullable(
    object({ SizeBytes: optional(integer, 0), Mode: optional(integer, 0), Options: nullable(list(list(text))) }),
  ),
});
export type Mount = Decoded<typeof mount>;

const deviceMapping = object({
  PathOnHost: optional(text, ''),
  PathInContainer: optional(text, ''),
  CgroupPermissions: optional(text, ''),
});

export const ulimit = object({ Name: text, Hard: integer, Soft: integer });

const portBinding = object({ HostIp: optional(text, ''), HostPort: optional(text, '') });

/** How this host should run it. Memory and sizes in bytes, cpu times in microseconds, 0 for no limit. */
export const hostConfig = object({
  Binds: nullable(list(text)),
  ContainerIDFile: optional(text, ''),
  LogConfig: optional(object({ Type: optional(text, ''), Config: optional(record(text), {}) }), {
    Type: '',
    Config: {},
  }),
  NetworkMode: optional(text, ''),
  PortBindings: nullable(record(nullable(list(portBinding)))),
  RestartPolicy: optional(restartPolicy, { Name: 'no', MaximumRetryCount: 0 }),
  AutoRemove: optional(flag, false),
  VolumeDriver: optional(text, ''),
  VolumesFrom: nullable(list(text)),
  ConsoleSize: optional(list(integer), [0, 0]),
  Annotations: nullable(record(text)),
  CapAdd: nullable(list(text)),
  CapDrop: nullable(list(text)),
  CgroupnsMode: optional(text, ''),
  Dns: nullable(list(text)),
  DnsOptions: nullable(list(text)),
  DnsSearch: nullable(list(text)),
  ExtraHosts: nullable(list(text)),
  GroupAdd: nullable(list(text)),
  IpcMode: optional(text, ''),
  Cgroup: optional(text, ''),
  Links: nullable(list(text)),
  OomScoreAdj: optional(integer, 0),
  PidMode: optional(text, ''),
  Privileged: optional(flag, false),
  PublishAllPorts: optional(flag, false),
  ReadonlyRootfs: optional(flag, false),
  SecurityOpt: nullable(list(text)),
  StorageOpt: nullable(record(text)),
  Tmpfs: nullable(record(text)),
  UTSMode: optional(text, ''),
  UsernsMode: optional(text, ''),
  ShmSize: optional(integer, 0),
  Sysctls: nullable(record(text)),
  Runtime: optional(text, ''),
  Isolation: optional(text, ''),
  CpuShares: optional(integer, 0),
  Memory: optional(integer, 0),
  NanoCpus: optional(integer, 0),
  CgroupParent: optional(text, ''),
  BlkioWeight: optional(integer, 0),
  BlkioWeightDevice: nullable(list(anything)),
  BlkioDeviceReadBps: nullable(list(anything)),
  BlkioDeviceWriteBps: nullable(list(anything)),
  BlkioDeviceReadIOps: nullable(list(anything)),
  BlkioDeviceWriteIOps: nullable(list(anything)),
  CpuPeriod: optional(integer, 0),
  CpuQuota: optional(integer, 0),
  CpuRealtimePeriod: optional(integer, 0),
  CpuRealtimeRuntime: optional(integer, 0),
  CpusetCpus: optional(text, ''),
  CpusetMems: optional(text, ''),
  Devices: nullable(list(deviceMapping)),
  DeviceCgroupRules: nullable(list(text)),
  DeviceRequests: nullable(list(anything)),
  KernelMemoryTCP: optional(integer, 0),
  MemoryReservation: optional(integer, 0),
  MemorySwap: optional(integer, 0),
  MemorySwappiness: nullable(integer),
  OomKillDisable: nullable(flag),
  PidsLimit: nullable(integer),
  Ulimits: nullable(list(ulimit)),
  CpuCount: optional(integer, 0),
  CpuPercent: optional(number, 0),
  IOMaximumIOps: optional(integer, 0),
  IOMaximumBandwidth: optional(integer, 0),
  Mounts: nullable(list(mount)),
  MaskedPaths: nullable(list(text)),
  ReadonlyPaths: nullable(list(text)),
  Init: nullable(flag),
});
export type HostConfig = Decoded<typeof hostConfig>;

/** Body of POST /containers/create: the config, with the host's part inside it; and what the wire has in the query. */
export const createBody = object({
  ...containerConfig.fields,
  HostConfig: optional(hostConfig, hostConfig({}, 'HostConfig')),
  NetworkingConfig: nullable(anything),
  /** `linux/arm64`: what the image must be for; '' for any. */
  Platform: optional(text, ''),
});
export type CreateBody = Decoded<typeof createBody>;

/** Body of POST /containers/{id}/exec. */
export const execConfig = object({
  AttachStdin: optional(flag, false),
  AttachStdout: optional(flag, false),
  AttachStderr: optional(flag, false),
  DetachKeys: optional(text, ''),
  Tty: optional(flag, false),
  Env: nullable(list(text)),
  Cmd: nullable(words),
  Privileged: optional(flag, false),
  User: optional(text, ''),
  WorkingDir: optional(text, ''),
  ConsoleSize: nullable(list(integer)),
});
export type ExecConfig = Decoded<typeof execConfig>;

/** Answer of GET /containers/{id}/json. Built by jobs/containers/inspect.ts; see the published API document. */
export type ContainerInspect = Readonly<Record<string, unknown>> & { readonly Id: string; readonly Name: string };
/** One row of GET /containers/json. */
export type ContainerSummary = Readonly<Record<string, unknown>> & { readonly Id: string };
/** Answer of GET /exec/{id}/json. */
export type ExecInspect = Readonly<Record<string, unknown>> & { readonly ID: string };

/** Answer of POST /containers/{id}/wait. */
export interface WaitResult {
  readonly StatusCode: number;
  readonly Error: { readonly Message: string } | null;
}

export interface TopResult {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}
