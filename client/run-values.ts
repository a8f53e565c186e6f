/** Values of flags, read as the docker CLI reads them. All fail with UsageError. */
import { parseSize } from '../std/size.ts';
import { UsageError } from './host.ts';

/** `64m`, `1.5g`, `1048576`; `-1` where docker has it for no limit. */
export function bytes(value: string): number {
  if (value === '-1') return -1;
  const size = parseSize(value);
  if (size === null) throw new UsageError(`invalid size: '${value}'`);
  return size;
}

export function wholeNumber(value: string): number {
  if (!/^[+-]?\d+$/.test(value)) throw new UsageError(`invalid argument "${value}": not a whole number`);
  return Number(value);
}

/** `--cpus`: nanoseconds of cpu a second. */
export function cpus(value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value)) throw new UsageError(`invalid argument "${value}" for "--cpus": not a number`);
  return Math.round(Number(value) * 1e9);
}

/** `KEY=value` → both; `KEY` alone has '' for a value. */
export function pair(word: string): [key: string, value: string] {
  const cut = word.indexOf('=');
  return cut < 0 ? [word, ''] : [word.slice(0, cut), word.slice(cut + 1)];
}

/** `--ulimit nofile=1024:2048`. */
export function ulimit(value: string): { Name: string; Soft: number; Hard: number } {
  const match = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(value);
  if (match === null) throw new UsageError(`invalid ulimit argument: ${value}`);
  const [, Name = '', soft = '', hard = soft] = match;
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}

/** `--device /dev/fuse:/dev/fuse:rwm`. */
export function device(value: string): { PathOnHost: string; PathInContainer: string; CgroupPermissions: string } {
  const [PathOnHost = '', second = '', third = ''] = value.split(':');
  const isMode = /^[rwm]+$/.test(second) && third === '';
  return {
    PathOnHost,
    PathInContainer: isMode || second === '' ? PathOnHost : second,
    CgroupPermissions: (isMode ? second : third) || 'rwm',
  };
}

/** `--restart on-failure:3`. */
export function restart(value: string): { Name: string; MaximumRetryCount: number } {
  const [Name = '', count] = value.split(':');
  return { Name, MaximumRetryCount: count === undefined ? 0 : wholeNumber(count) };
}

/** `--mount type=bind,source=/a,target=/b,readonly`. */
export function mount(value: string): Record<string, unknown> {
  const mounted: Record<string, unknown> = { Type: 'volume' };
  for (const field of value.split(',')) {
    const [key, text] = pair(field);
    const set = MOUNT_FIELDS[key.toLowerCase()];
    if (set === undefined)
      throw new UsageError(`invalid argument "${value}" for "--mount" flag: unexpected key '${key}'`);
    Object.assign(mounted, set(text, mounted));
  }
  if (typeof mounted['Target'] !== 'string') {
    throw new UsageError(`invalid argument "${value}" for "--mount" flag: target is required`);
  }
  return mounted;
}

type MountField = (value: string, so: Readonly<Record<string, unknown>>) => Record<string, unknown>;
const isTrue = (value: string): boolean => value === '' || value === 'true' || value === '1';
const within = (key: string, so: Readonly<Record<string, unknown>>, more: object) => ({
  [key]: Object.assign({}, so[key], more),
});
const source: MountField = (value) => ({ Source: value });
const target: MountField = (value) => ({ Target: value });
const readonly: MountField = (value) => ({ ReadOnly: isTrue(value) });
const MOUNT_FIELDS: Readonly<Record<string, MountField | undefined>> = {
  type: (value) => ({ Type: value.toLowerCase() }),
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly,
  ro: readonly,
  consistency: (value) => ({ Consistency: value }),
  'bind-propagation': (value, so) => within('BindOptions', so, { Propagation: value }),
  'bind-nonrecursive': (value, so) => within('BindOptions', so, { NonRecursive: isTrue(value) }),
  'volume-nocopy': (value, so) => within('VolumeOptions', so, { NoCopy: isTrue(value) }),
  'tmpfs-size': (value, so) => within('TmpfsOptions', so, { SizeBytes: bytes(value) }),
  'tmpfs-mode': (value, so) => within('TmpfsOptions', so, { Mode: Number.parseInt(value, 8) }),
};
