/** `containers/<id>/config.json` → ContainerRecord. What does not fit is a DecodeError that names the path. */
import { type ContainerRecord, type ContainerState, containerConfig, hostConfig } from '../api/container.ts';
import { chainIDOf, containerID, imageID, layerID } from '../api/ids.ts';
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
