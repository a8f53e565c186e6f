/**
 * A container in Docker's words: what a client asks for, what the engine records, what inspect answers. Field names are
 * the wire's own (Docker Engine API v1.50, `ContainerConfig`, `HostConfig`, `ContainerInspectResponse`).
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
import type { ChainID, ContainerID, ExecID, ImageID, LayerID } from './ids.ts';

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

export const ulimit = object({ Name: text, Soft: integer, Hard: integer });

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

/**
 * Where a container is in its life. Each state carries only what is true in it. Instants are RFC 3339 with nanoseconds.
 *
 *   created ─start─▶ running ⇄ paused
 *                      │ exit            restart policy
 *                      ▼                ┌───────────┐
 *                    exited ◀───────── restarting ──┘ ─▶ running
 *   any but running ─▶ removing ─▶ gone
 */
export type ContainerState =
  /** Never ran. A start that failed leaves its words and code here, as Docker does. */
  | { readonly status: 'created'; readonly exitCode: number; readonly error: string }
  | ({ readonly status: 'running' } & Running)
  | ({ readonly status: 'paused' } & Running)
  | ({ readonly status: 'restarting' } & Ended)
  | ({ readonly status: 'exited' } & Ended)
  /** `volumes`: its anonymous ones go with it. */
  | { readonly status: 'removing'; readonly before: ContainerState; readonly volumes: boolean }
  /** Its removal failed: it can only be removed again. */
  | { readonly status: 'dead'; readonly before: ContainerState; readonly error: string };

export interface Running {
  readonly pid: number;
  readonly startedAt: string;
  /** When the run before this one ended, Go's zero time for the first: inspect tells it while this one runs. */
  readonly lastFinishedAt: string;
}

export interface Ended {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly error: string;
}

/** Where something from outside the rootfs is seen inside it, settled at create. */
export interface MountPoint {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  /** Volume name; '' for others. */
  readonly Name: string;
  /** Absolute host path; '' for tmpfs. */
  readonly Source: string;
  readonly Destination: string;
  /** `local` for volumes; '' for others. */
  readonly Driver: string;
  /** The mode words as given, such as `ro`, `z`, tmpfs options. */
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

/** A container as `containers/<id>/config.json` has it. */
export interface ContainerRecord {
  readonly ID: ContainerID;
  /** Without the leading slash. */
  readonly Name: string;
  readonly Created: string;
  /** The image's id, and the reference as the user gave it is `Config.Image`. */
  readonly ImageID: ImageID;
  readonly Config: ContainerConfig;
  readonly HostConfig: HostConfig;
  /** The program and its arguments: Entrypoint and Cmd, joined. */
  readonly Path: string;
  readonly Args: readonly string[];
  /** The read-write layer, and the graph driver that has it. */
  readonly Layer: LayerID;
  /** The image's layers that it stands on, null for an empty image; known here even when the image is gone. */
  readonly Chain: ChainID | null;
  readonly Driver: string;
  readonly MountPoints: readonly MountPoint[];
  readonly LogPath: string;
  readonly State: ContainerState;
  readonly RestartCount: number;
  /** The user stopped it, so that its restart policy rests until it is started again. */
  readonly HasBeenManuallyStopped: boolean;
}

/** An extra process in a container; in memory, and in the exec-root while it runs. */
export interface ExecRecord {
  readonly ID: ExecID;
  readonly ContainerID: ContainerID;
  readonly Config: ExecConfig;
  readonly State:
    | { readonly status: 'created' }
    | { readonly status: 'running'; readonly pid: number }
    | { readonly status: 'exited'; readonly pid: number; readonly exitCode: number };
}

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
