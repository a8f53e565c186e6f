/**
 * The flags of `docker run`, as a table, and what each of them puts into the body of a create. The daemon checks what it
 * is given; only what the docker CLI itself turns into numbers and records is turned into them here (`run-values.ts`).
 */
import { bytes, cpus, device, mount, pair, restart, ulimit, wholeNumber } from './run-values.ts';

/** The body of a create, as far as it has come. */
export interface Draft {
  readonly name: string | null;
  readonly config: Record<string, unknown>;
  readonly hostConfig: Record<string, unknown>;
  /** What `-e KEY` alone takes its value from. */
  readonly env: NodeJS.ProcessEnv;
}

export interface RunFlag {
  /** As commander has it: `-m, --memory <bytes>`. */
  readonly flags: string;
  readonly apply: (draft: Draft, value: string) => unknown;
}

type Part = 'config' | 'hostConfig';
type Read = (value: string) => unknown;
const asText: Read = (value) => value;

/** A flag that sets a field, `HostConfig.` in front where it is one of the host's part. */
function one(flags: string, field: string, read: Read = asText): RunFlag {
  const { part, key } = placeOf(field);
  return { flags, apply: (draft, value) => Object.assign(draft[part], { [key]: read(value) }) };
}
function yes(flags: string, field: string, value: unknown = true): RunFlag {
  return one(flags, field, () => value);
}
/** A flag that may be given again and again, and adds to a list. */
function many(flags: string, field: string, read: Read = asText): RunFlag {
  const { part, key } = placeOf(field);
  return {
    flags,
    apply: (draft, value) => {
      const before = draft[part][key];
      draft[part][key] = [...(Array.isArray(before) ? before : []), read(value)];
    },
  };
}
/** As `many`, and adds to an object. */
function map(flags: string, field: string, read: (value: string) => [string, unknown] = pair): RunFlag {
  const { part, key } = placeOf(field);
  return {
    flags,
    apply: (draft, value) => {
      const [name, entry] = read(value);
      draft[part][key] = { ...objectOf(draft[part][key]), [name]: entry };
    },
  };
}
function placeOf(field: string): { part: Part; key: string } {
  const key = field.replace(/^HostConfig\./, '');
  return { part: key === field ? 'config' : 'hostConfig', key };
}
function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function publish(draft: Draft, value: string): void {
  const match = /^(?:(?:(\[[^\]]+\]|[\d.]*):)?(\d*):)?(\d+)(?:\/(tcp|udp|sctp))?$/.exec(value);
  const [, HostIp = '', HostPort = '', port = value, protocol = 'tcp'] = match ?? [];
  const key = `${port}/${protocol}`;
  draft.config['ExposedPorts'] = { ...objectOf(draft.config['ExposedPorts']), [key]: {} };
  draft.hostConfig['PortBindings'] = {
    ...objectOf(draft.hostConfig['PortBindings']),
    [key]: [{ HostIp: HostIp.replace(/^\[|\]$/g, ''), HostPort }],
  };
}

/** `-v /data` is an anonymous volume; with a colon it is a bind or a named one. */
function volume(draft: Draft, value: string): void {
  if (value.includes(':')) many('', 'HostConfig.Binds').apply(draft, value);
  else map('', 'Volumes', (path) => [path, {}]).apply(draft, value);
}

function environment(draft: Draft, value: string): void {
  const given = draft.env[value];
  if (!value.includes('=') && given === undefined) return;
  many('', 'Env').apply(draft, value.includes('=') ? value : `${value}=${given}`);
}

export const RUN_FLAGS: readonly RunFlag[] = [
  { flags: '--name <name>', apply: (draft, value) => Object.assign(draft, { name: value }) },
  { flags: '-e, --env <KEY=VALUE>', apply: environment },
  { flags: '-v, --volume <volume>', apply: volume },
  { flags: '-p, --publish <ports>', apply: publish },
  // These say how the caller looks on, which nobody does here.
  { flags: '-d, --detach', apply: () => {} },
  { flags: '--pull <policy>', apply: () => {} },
  { flags: '-q, --quiet', apply: () => {} },
  { flags: '-a, --attach <stream>', apply: () => {} },
  { flags: '--sig-proxy', apply: () => {} },
  { flags: '--detach-keys <keys>', apply: () => {} },
  one('--platform <platform>', 'Platform'),
  one('-h, --hostname <name>', 'Hostname'),
  one('--domainname <name>', 'Domainname'),
  one('-u, --user <user>', 'User'),
  one('-w, --workdir <path>', 'WorkingDir'),
  one('--entrypoint <path>', 'Entrypoint', (value) => (value === '' ? [''] : [value])),
  yes('-t, --tty', 'Tty'),
  yes('-i, --interactive', 'OpenStdin'),
  map('-l, --label <KEY=VALUE>', 'Labels'),
  map('--expose <port>', 'ExposedPorts', (port) => [port.includes('/') ? port : `${port}/tcp`, {}]),
  one('--stop-signal <signal>', 'StopSignal'),
  one('--stop-timeout <seconds>', 'StopTimeout', wholeNumber),
  yes('--rm', 'HostConfig.AutoRemove'),
  yes('--init', 'HostConfig.Init'),
  yes('--privileged', 'HostConfig.Privileged'),
  yes('--read-only', 'HostConfig.ReadonlyRootfs'),
  yes('-P, --publish-all', 'HostConfig.PublishAllPorts'),
  yes('--oom-kill-disable', 'HostConfig.OomKillDisable'),
  one('--restart <policy>', 'HostConfig.RestartPolicy', restart),
  one('--net, --network <mode>', 'HostConfig.NetworkMode'),
  one('--pid <mode>', 'HostConfig.PidMode'),
  one('--ipc <mode>', 'HostConfig.IpcMode'),
  one('--uts <mode>', 'HostConfig.UTSMode'),
  one('--userns <mode>', 'HostConfig.UsernsMode'),
  one('--cgroupns <mode>', 'HostConfig.CgroupnsMode'),
  one('--cgroup-parent <path>', 'HostConfig.CgroupParent'),
  one('--runtime <name>', 'HostConfig.Runtime'),
  many('--cap-add <capability>', 'HostConfig.CapAdd'),
  many('--cap-drop <capability>', 'HostConfig.CapDrop'),
  many('--security-opt <option>', 'HostConfig.SecurityOpt'),
  many('--group-add <group>', 'HostConfig.GroupAdd'),
  many('--device <device>', 'HostConfig.Devices', device),
  many('--device-cgroup-rule <rule>', 'HostConfig.DeviceCgroupRules'),
  many('--ulimit <limit>', 'HostConfig.Ulimits', ulimit),
  many('--mount <mount>', 'HostConfig.Mounts', mount),
  many('--volumes-from <container>', 'HostConfig.VolumesFrom'),
  many('--dns <address>', 'HostConfig.Dns'),
  many('--dns-search <domain>', 'HostConfig.DnsSearch'),
  many('--dns-option <option>', 'HostConfig.DnsOptions'),
  many('--add-host <HOST:IP>', 'HostConfig.ExtraHosts'),
  map('--sysctl <KEY=VALUE>', 'HostConfig.Sysctls'),
  map('--annotation <KEY=VALUE>', 'HostConfig.Annotations'),
  map('--storage-opt <KEY=VALUE>', 'HostConfig.StorageOpt'),
  map('--tmpfs <path>', 'HostConfig.Tmpfs', (value) => [value.replace(/:.*$/, ''), value.replace(/^[^:]*:?/, '')]),
  one('-m, --memory <bytes>', 'HostConfig.Memory', bytes),
  one('--memory-swap <bytes>', 'HostConfig.MemorySwap', bytes),
  one('--memory-reservation <bytes>', 'HostConfig.MemoryReservation', bytes),
  one('--memory-swappiness <percent>', 'HostConfig.MemorySwappiness', wholeNumber),
  one('--shm-size <bytes>', 'HostConfig.ShmSize', bytes),
  one('--cpus <count>', 'HostConfig.NanoCpus', cpus),
  one('-c, --cpu-shares <weight>', 'HostConfig.CpuShares', wholeNumber),
  one('--cpu-period <us>', 'HostConfig.CpuPeriod', wholeNumber),
  one('--cpu-quota <us>', 'HostConfig.CpuQuota', wholeNumber),
  one('--cpuset-cpus <cpus>', 'HostConfig.CpusetCpus'),
  one('--cpuset-mems <nodes>', 'HostConfig.CpusetMems'),
  one('--blkio-weight <weight>', 'HostConfig.BlkioWeight', wholeNumber),
  one('--pids-limit <count>', 'HostConfig.PidsLimit', wholeNumber),
  one('--oom-score-adj <value>', 'HostConfig.OomScoreAdj', wholeNumber),
  { flags: '--log-driver <name>', apply: (draft, Type) => changeLog(draft, () => ({ Type })) },
  { flags: '--log-opt <KEY=VALUE>', apply: logOption },
];

function logOption(draft: Draft, value: string): void {
  const [key, text] = pair(value);
  changeLog(draft, ({ Config }) => ({ Config: { ...Config, [key]: text } }));
}

/** The driver and its options come in any order. */
function changeLog(draft: Draft, change: (log: { Type: string; Config: object }) => object): void {
  const log = { Type: '', Config: {}, ...objectOf(draft.hostConfig['LogConfig']) };
  draft.hostConfig['LogConfig'] = { ...log, ...change(log) };
}
