/** What the engine knows of a container, named as on the wire, and how it is read from `containers/<id>/config.json`. */
import { type ContainerConfig, containerConfig, type HostConfig, hostConfig } from '../api/container.ts';
import {
  type ChainID,
  type ContainerID,
  chainIDOf,
  containerID,
  type ImageID,
  imageID,
  type LayerID,
  layerID,
} from '../api/ids.ts';
import {
  DecodeError,
  type Decoder,
  flag,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  parsed,
  text,
} from '../std/decode.ts';
import { NEVER } from '../std/timestamp.ts';
import { unreachable } from '../std/unreachable.ts';

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

const status = object({
  status: oneOf('created', 'running', 'paused', 'restarting', 'exited', 'removing', 'dead'),
});
const created = object({ exitCode: optional(integer, 0), error: optional(text, '') });
const active = object({ pid: integer, startedAt: text, lastFinishedAt: optional(text, NEVER) });
const ended = object({
  exitCode: integer,
  oomKilled: optional(flag, false),
  startedAt: text,
  finishedAt: text,
  error: optional(text, ''),
});
const removing = object({ volumes: optional(flag, false) });
const dead = object({ error: optional(text, '') });

const stateWithin =
  (depth: number): Decoder<ContainerState> =>
  (value, path) => {
    const { status: kind } = status(value, path);
    switch (kind) {
      case 'created':
        return { status: kind, ...created(value, path) };
      case 'running':
      case 'paused':
        return { status: kind, ...active(value, path) };
      case 'restarting':
      case 'exited':
        return { status: kind, ...ended(value, path) };
      case 'removing':
        return { status: kind, before: before(value, path, depth), ...removing(value, path) };
      case 'dead':
        return { status: kind, before: before(value, path, depth), ...dead(value, path) };
      default:
        return unreachable(kind);
    }
  };

/** A state within a state, four deep at most: one, before removing or dead, is all that is written. */
function before(value: unknown, path: string, depth: number): ContainerState {
  if (depth >= 4) throw new DecodeError(`${path}.before`, 'fewer states one within another', value);
  return object({ before: stateWithin(depth + 1) })(value, path).before;
}

const mountPoint = object({
  Type: oneOf('bind', 'volume', 'tmpfs'),
  Name: optional(text, ''),
  Source: optional(text, ''),
  Destination: text,
  Driver: optional(text, ''),
  Mode: optional(text, ''),
  RW: optional(flag, false),
  Propagation: optional(text, ''),
});

/** What does not fit is a DecodeError that names the path. */
export const containerRecord: Decoder<ContainerRecord> = object({
  ID: parsed(containerID),
  Name: text,
  Created: text,
  ImageID: parsed(imageID),
  Config: containerConfig,
  HostConfig: hostConfig,
  Path: text,
  Args: list(text),
  Layer: parsed(layerID),
  Chain: nullable(parsed(chainIDOf)),
  Driver: text,
  MountPoints: list(mountPoint),
  LogPath: text,
  State: stateWithin(0),
  RestartCount: optional(integer, 0),
  HasBeenManuallyStopped: optional(flag, false),
});
