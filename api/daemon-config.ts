/** The settings of the daemon: keys of `daemon.json`, named as dockerd names them, with what they may be. */
import {
  type Decoded,
  DecodeError,
  type Decoder,
  flag,
  integer,
  list,
  object,
  oneOf,
  optional,
  record,
  text,
} from '../std/decode.ts';
import { parseSize } from '../std/size.ts';
import { InvalidParameter } from './errors.ts';

const MIB = 1024 ** 2;
/** Longer, and the addresses of the monitors' sockets would not fit (unix(7): 108 bytes). */
const MAX_EXEC_ROOT_BYTES = 60;

/** Soft and hard limit, as setrlimit(2) has them; -1 for none. */
export interface UlimitSetting {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

const absolutePath: Decoder<string> = (value, path) => {
  const given = text(value, path);
  if (!given.startsWith('/')) throw new InvalidParameter(`${path}: ${given} is not an absolute path`);
  return given.length > 1 ? given.replace(/\/+$/, '') : given;
};

const execRoot: Decoder<string> = (value, path) => {
  const given = absolutePath(value, path);
  if (Buffer.byteLength(given) > MAX_EXEC_ROOT_BYTES) {
    throw new InvalidParameter(`${path}: ${given} is longer than ${MAX_EXEC_ROOT_BYTES} bytes: choose a shorter path`);
  }
  return given;
};

/** Bytes, as a number or in words such as `64m`. */
const size: Decoder<number> = (value, path) => {
  const bytes = typeof value === 'number' ? integer(value, path) : parseSize(text(value, path));
  if (bytes === null || bytes < 0) throw new InvalidParameter(`${path}: invalid size: '${String(value)}'`);
  return bytes;
};

const label: Decoder<string> = (value, path) => {
  const given = text(value, path);
  if (!/^[^=]+=/.test(given)) throw new InvalidParameter(`bad attribute format: ${given}`);
  return given;
};

const ulimitValue = object({ Name: optional(text, ''), Soft: integer, Hard: integer });
/** `{"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}}`, or the flag's `1024:2048`. */
const ulimits: Decoder<UlimitSetting[]> = (value, path) =>
  Object.entries(record((each) => each)(value, path)).map(([Name, each]) => {
    const limit =
      typeof each === 'string' ? parseUlimit(Name, each) : { ...ulimitValue(each, `${path}.${Name}`), Name };
    if (limit.Hard !== -1 && (limit.Soft > limit.Hard || limit.Soft === -1)) {
      throw new InvalidParameter(
        `ulimit soft limit must be less than or equal to hard limit: ${limit.Soft} > ${limit.Hard}`,
      );
    }
    return limit;
  });

function parseUlimit(Name: string, given: string): UlimitSetting {
  const match = /^(-?\d+)(?::(-?\d+))?$/.exec(given);
  if (match === null) throw new InvalidParameter(`invalid ulimit argument: ${Name}=${given}`);
  const Soft = Number(match[1]);
  return { Name, Soft, Hard: match[2] === undefined ? Soft : Number(match[2]) };
}

/** Bridges come later; saying so is better than a container without the network it was promised. */
const bridge: Decoder<string> = (value, path) => {
  const given = text(value, path);
  if (given !== 'none' && given !== '') {
    throw new InvalidParameter(`${path}: bridge networks are not there yet: leave it out, or say none (got ${given})`);
  }
  return 'none';
};

const execOptions: Decoder<string[]> = (value, path) =>
  list(text)(value, path).map((given) => {
    const [key = '', setting = ''] = given.split('=', 2);
    if (key.trim().toLowerCase() !== 'native.cgroupdriver') {
      throw new InvalidParameter(`${path}: ${given}: unknown option, only native.cgroupdriver is known`);
    }
    if (setting.trim() !== 'cgroupfs') {
      throw new InvalidParameter(`${path}: ${given}: this engine writes cgroups itself: only cgroupfs is there`);
    }
    return given;
  });

const logDriver: Decoder<'json-file' | 'local' | 'none'> = (value, path) => {
  const given = text(value, path);
  if (given !== 'json-file' && given !== 'local' && given !== 'none') {
    throw new InvalidParameter(`logger: no log driver named '${given}' is registered`);
  }
  return given;
};

const defaultRuntime: Decoder<string> = (value, path) => {
  const given = text(value, path);
  if (given !== RUNTIME) throw new InvalidParameter(`specified default runtime '${given}' does not exist`);
  return given;
};

const runtimes: Decoder<Record<string, unknown>> = (value, path) => {
  const given = record((each) => each)(value, path);
  const [first] = Object.keys(given);
  if (first !== undefined) {
    throw new InvalidParameter(`${path}: ${first}: other runtimes than ${RUNTIME} itself are not there yet`);
  }
  return given;
};

/** The one runtime there is. */
const RUNTIME = 'gantry';

const optionValue: Decoder<string> = (value, path) => {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return text(value, path);
};

export const daemonConfig = object({
  'data-root': optional(absolutePath, '/var/lib/gantry'),
  'exec-root': optional(execRoot, '/run/gantry'),
  hosts: optional(list(text), []),
  group: optional(text, 'docker'),
  pidfile: optional(absolutePath, '/run/gantry.pid'),
  debug: optional(flag, false),
  'log-level': optional(oneOf('debug', 'info', 'warn', 'error', 'fatal'), 'info'),
  'log-driver': optional(logDriver, 'json-file'),
  'log-opts': optional(record(optionValue), {}),
  'storage-driver': optional(text, ''),
  'storage-opts': optional(list(text), []),
  tls: optional(flag, false),
  tlsverify: optional(flag, false),
  tlscacert: optional(text, ''),
  tlscert: optional(text, ''),
  tlskey: optional(text, ''),
  'cgroup-parent': optional(text, '/gantry'),
  'default-ulimits': optional(ulimits, []),
  'default-shm-size': optional(size, 64 * MIB),
  'default-runtime': optional(defaultRuntime, RUNTIME),
  runtimes: optional(runtimes, {}),
  'exec-opts': optional(execOptions, []),
  init: optional(flag, false),
  'no-new-privileges': optional(flag, false),
  labels: optional(list(label), []),
  /** Seconds. */
  'shutdown-timeout': optional(integer, 15),
  plugins: optional(list(text), []),
  bridge: optional(bridge, 'none'),
  'live-restore': optional(flag, true),
  experimental: optional(flag, false),
  iptables: optional(flag, true),
  ip6tables: optional(flag, true),
  'ip-forward': optional(flag, true),
  'ip-masq': optional(flag, true),
  'userland-proxy': optional(flag, true),
  icc: optional(flag, true),
});
export type DaemonConfig = Decoded<typeof daemonConfig>;
export type ConfigKey = keyof DaemonConfig;

/** A value of the wrong type, in the words of the file. */
export function isWrong(error: unknown): error is Error {
  return error instanceof DecodeError || error instanceof InvalidParameter;
}
