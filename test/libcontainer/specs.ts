/** Specs to compile: one as docker run makes it when nothing is asked for, and what each wish changes of it. */
import { capabilitiesFor } from '../../api/capabilities.ts';
import type { OciDevice, OciMount, OciResources, OciSpec } from '../../api/oci.ts';
import type { CgroupLayout } from '../../drivers/libcontainer/cgroup-layout.ts';
import type { ContainerPlan, Machine } from '../../drivers/libcontainer/container-program.ts';
import { SLOT } from '../../drivers/libcontainer/program.ts';

export const ID = 'c0ffee'.repeat(11).slice(0, 64);

export const mount = (destination: string, type: string, source: string, ...options: string[]): OciMount => ({
  destination,
  type,
  source,
  options,
});

const RESOURCES: OciResources = {
  devices: [{ allow: false, type: 'a', major: null, minor: null, access: 'rwm' }],
  memory: { limit: null, reservation: null, swap: null, swappiness: null, disableOOMKiller: false },
  cpu: { shares: null, quota: null, period: null, cpus: '', mems: '' },
  pids: { limit: null },
  blockIO: { weight: null },
};

const DEFAULTS = capabilitiesFor([], [], false);

export const BASE_SPEC: OciSpec = {
  ociVersion: '1.2.0',
  hostname: 'c0ffeec0ffee',
  root: { path: `/run/gantry/c/${ID.slice(0, 32)}/rootfs`, readonly: false },
  process: {
    terminal: false,
    user: { uid: 0, gid: 0, additionalGids: [], umask: 0o22 },
    groupNames: [],
    args: ['sh'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    cwd: '/',
    capabilities: { bounding: DEFAULTS, effective: DEFAULTS, inheritable: [], permitted: DEFAULTS, ambient: [] },
    rlimits: [],
    noNewPrivileges: false,
    oomScoreAdj: 0,
  },
  mounts: [
    mount('/proc', 'proc', 'proc', 'nosuid', 'noexec', 'nodev'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
    mount('/dev/pts', 'devpts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'),
    mount('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', 'ro'),
    mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'ro', 'nosuid', 'noexec', 'nodev'),
    mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
    mount('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=67108864'),
  ],
  linux: {
    namespaces: [{ type: 'mount' }, { type: 'network' }, { type: 'uts' }, { type: 'pid' }, { type: 'ipc' }],
    devices: [],
    resources: RESOURCES,
    cgroupsPath: `/gantry/${ID}`,
    sysctl: {},
    maskedPaths: ['/proc/kcore', '/proc/keys', '/sys/firmware'],
    readonlyPaths: ['/proc/bus', '/proc/sys'],
    rootfsPropagation: '',
    seccomp: null,
  },
};

const V1_NAMES = ['cpu', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'name=systemd'];
const v1 = V1_NAMES.map((name) => ({ controllers: [name], path: `/sys/fs/cgroup/${name.replace('name=', '')}` }));
const cpuset = { cpus: '0-1', mems: '0' };

export const LAYOUTS = {
  v1: { v1, unified: null, v2Controllers: [], cpuset },
  hybrid: { v1, unified: '/sys/fs/cgroup/unified', v2Controllers: [], cpuset },
  v2: {
    v1: [],
    unified: '/sys/fs/cgroup',
    v2Controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'],
    cpuset: { cpus: '', mems: '' },
  },
  joined: {
    v1: [{ controllers: ['cpu', 'cpuacct'], path: '/sys/fs/cgroup/cpu,cpuacct' }],
    unified: null,
    v2Controllers: [],
    cpuset,
  },
} satisfies Record<string, CgroupLayout>;

export const machine = (cgroups: CgroupLayout = LAYOUTS.hybrid, keyrings = true): Machine => ({ cgroups, keyrings });

export const BASE_PLAN: ContainerPlan = {
  id: ID,
  spec: BASE_SPEC,
  user: '',
  init: false,
  rootfs: [
    {
      op: 'overlay',
      owner: 'graph/overlay2',
      base: '/var/lib/gantry/overlay2',
      lowers: ['a/diff', 'b/diff'],
      upper: 'c/diff',
      work: 'c/work',
      options: [],
      target: BASE_SPEC.root.path,
      slot: SLOT.rootfs,
    },
  ],
  network: { newNamespace: true, operations: [] },
  consoleSize: null,
  filter: null,
};

type Plan = ContainerPlan;
export interface Variant {
  readonly name: string;
  readonly plan: Plan;
  readonly machine: Machine;
}

const withSpec = (change: Partial<OciSpec>): Plan => ({ ...BASE_PLAN, spec: { ...BASE_SPEC, ...change } });
const withProcess = (change: Partial<OciSpec['process']>): Plan =>
  withSpec({ process: { ...BASE_SPEC.process, ...change } });
const withLinux = (change: Partial<OciSpec['linux']>): Plan => withSpec({ linux: { ...BASE_SPEC.linux, ...change } });
const withResources = (change: Partial<OciResources>): Plan => withLinux({ resources: { ...RESOURCES, ...change } });
const withMounts = (...more: OciMount[]): Plan => withSpec({ mounts: [...BASE_SPEC.mounts, ...more] });
const memory = (change: Partial<OciResources['memory']>): Plan =>
  withResources({ memory: { ...RESOURCES.memory, ...change } });
const cpu = (change: Partial<OciResources['cpu']>): Plan => withResources({ cpu: { ...RESOURCES.cpu, ...change } });
const caps = (add: string[], drop: string[], privileged = false): Plan => {
  const all = capabilitiesFor(add, drop, privileged);
  return withProcess({
    capabilities: { bounding: all, effective: all, inheritable: [], permitted: all, ambient: [] },
  });
};
const namespaces = (change: (list: OciSpec['linux']['namespaces']) => OciSpec['linux']['namespaces']): Plan =>
  withLinux({ namespaces: change(BASE_SPEC.linux.namespaces) });
const joining = (type: OciSpec['linux']['namespaces'][number]['type'], path: string): Plan =>
  namespaces((list) => [...list.filter((each) => each.type !== type), { type, path }]);
const hostNamespace = (type: string): Plan => namespaces((list) => list.filter((each) => each.type !== type));
const device = (path: string, type: OciDevice['type'], major: number, minor: number): OciDevice => ({
  path,
  type,
  major,
  minor,
  fileMode: 0o600,
  uid: 0,
  gid: 6,
});
const bind = (...options: string[]): Plan => withMounts(mount('/data', 'bind', '/srv/data', ...options));

const MEBIBYTE = 1024 * 1024;

const PLANS: Readonly<Record<string, Plan>> = {
  'a terminal': withProcess({ terminal: true }),
  'a terminal with a size': { ...withProcess({ terminal: true }), consoleSize: [24, 80] },
  'an init': { ...BASE_PLAN, init: true },
  'a filter': { ...BASE_PLAN, filter: new Uint8Array(8 * 90) },
  'a filter and no new privileges': {
    ...withProcess({ noNewPrivileges: true }),
    filter: new Uint8Array(8 * 90),
  },
  'no new privileges': withProcess({ noNewPrivileges: true }),
  'a read-only root': withSpec({ root: { ...BASE_SPEC.root, readonly: true } }),
  'a shared root': withLinux({ rootfsPropagation: 'rshared' }),
  'a slave root': withLinux({ rootfsPropagation: 'slave' }),
  'a read-only slave root': {
    ...withLinux({ rootfsPropagation: 'rslave' }),
    spec: {
      ...BASE_SPEC,
      root: { ...BASE_SPEC.root, readonly: true },
      linux: { ...BASE_SPEC.linux, rootfsPropagation: 'rslave' },
    },
  },
  'a working directory': withProcess({ cwd: '/srv/app' }),
  'a umask': withProcess({ user: { ...BASE_SPEC.process.user, umask: 0o77 } }),
  'an oom score': withProcess({ oomScoreAdj: 500 }),
  'a negative oom score': withProcess({ oomScoreAdj: -500 }),
  'no hostname': withSpec({ hostname: '' }),
  'a domain name': withSpec({ domainname: 'example.org' }),
  'arguments with spaces': withProcess({ args: ['sh', '-c', 'echo "a b"\n'] }),

  'user by name': { ...BASE_PLAN, user: 'www' },
  'user by number': { ...BASE_PLAN, user: '1000' },
  'user and group': { ...BASE_PLAN, user: 'www:data' },
  'user by the spec': withProcess({ user: { uid: 7, gid: 8, additionalGids: [9, 10], umask: 0o22 } }),
  'groups by name': withProcess({ groupNames: ['audio', 'video'] }),
  'groups by number': withProcess({ user: { ...BASE_SPEC.process.user, additionalGids: [44] } }),

  'capabilities: one more': caps(['NET_ADMIN'], []),
  'capabilities: one less': caps([], ['CHOWN']),
  'capabilities: none': caps([], ['ALL']),
  'capabilities: one only': caps(['cap_kill'], ['all']),
  'capabilities: all': caps(['ALL'], []),
  'capabilities: all but one': caps(['ALL'], ['SYS_ADMIN']),
  'capabilities: privileged': caps([], [], true),
  'capabilities: ambient': withProcess({
    capabilities: { ...BASE_SPEC.process.capabilities, ambient: ['CAP_NET_RAW'], inheritable: ['CAP_NET_RAW'] },
  }),

  'memory: limit': memory({ limit: 64 * MEBIBYTE }),
  'memory: limit and swap': memory({ limit: 64 * MEBIBYTE, swap: 128 * MEBIBYTE }),
  'memory: no swap': memory({ limit: 64 * MEBIBYTE, swap: 64 * MEBIBYTE }),
  'memory: unlimited swap': memory({ limit: 64 * MEBIBYTE, swap: -1 }),
  'memory: reservation': memory({ reservation: 32 * MEBIBYTE }),
  'memory: swappiness': memory({ swappiness: 0 }),
  'memory: no oom killer': memory({ limit: 64 * MEBIBYTE, disableOOMKiller: true }),
  'cpu: shares': cpu({ shares: 512 }),
  'cpu: least shares': cpu({ shares: 2 }),
  'cpu: most shares': cpu({ shares: 262_144 }),
  'cpu: half a processor': cpu({ quota: 50_000, period: 100_000 }),
  'cpu: a period': cpu({ period: 50_000 }),
  'cpu: unlimited': cpu({ quota: -1 }),
  'cpu: a set': cpu({ cpus: '0', mems: '0' }),
  'pids: limit': withResources({ pids: { limit: 100 } }),
  'pids: unlimited': withResources({ pids: { limit: -1 } }),
  'blkio: weight': withResources({ blockIO: { weight: 300 } }),
  'devices: a rule': withResources({
    devices: [...RESOURCES.devices, { allow: true, type: 'b', major: 8, minor: null, access: 'r' }],
  }),
  'devices: a denial': withResources({
    devices: [...RESOURCES.devices, { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' }],
  }),
  'devices: all allowed': withResources({
    devices: [{ allow: true, type: 'a', major: null, minor: null, access: 'rwm' }],
  }),
  'devices: a character device': withLinux({ devices: [device('/dev/snd/seq', 'c', 116, 1)] }),
  'devices: a block device': withLinux({ devices: [device('/dev/xvdc', 'b', 202, 32)] }),
  'devices: a pipe': withLinux({ devices: [device('/dev/initctl', 'p', 0, 0)] }),
  'devices: one of the defaults': withLinux({ devices: [device('/dev/null', 'c', 1, 3)] }),

  'rlimit: open files': withProcess({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 }] }),
  'rlimit: unlimited': withProcess({ rlimits: [{ type: 'RLIMIT_CORE', soft: -1, hard: -1 }] }),
  'rlimit: two': withProcess({
    rlimits: [
      { type: 'RLIMIT_NPROC', soft: 10, hard: 20 },
      { type: 'RLIMIT_CPU', soft: 1, hard: 2 },
    ],
  }),

  'sysctl: of the network': withLinux({ sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' } }),
  'sysctl: with slashes': withLinux({ sysctl: { 'net/ipv4/ip_forward': '1' } }),
  'sysctl: of the ipc': withLinux({ sysctl: { 'kernel.shm_rmid_forced': '1', 'fs.mqueue.msg_max': '20' } }),

  'masked: nothing': withLinux({ maskedPaths: [], readonlyPaths: [] }),
  'masked: one file': withLinux({ maskedPaths: ['/proc/timer_list'], readonlyPaths: [] }),
  'read-only: one folder': withLinux({ maskedPaths: [], readonlyPaths: ['/proc/irq'] }),

  'network: host': { ...hostNamespace('network'), network: { newNamespace: false, operations: [] } },
  'network: with a message': {
    ...BASE_PLAN,
    network: {
      newNamespace: true,
      operations: [{ op: 'netlink', owner: 'network/none', protocol: 0, messages: new Uint8Array(32), flags: 0 }],
    },
  },
  'network: of another container': {
    ...joining('network', '/proc/42/ns/net'),
    network: { newNamespace: false, operations: [] },
  },
  'network: of another, whatever the plan says': joining('network', '/proc/42/ns/net'),
  'network: wished for by the plan alone': hostNamespace('network'),
  'pid: host': hostNamespace('pid'),
  'pid: of another container': joining('pid', '/proc/42/ns/pid'),
  'ipc: host': hostNamespace('ipc'),
  'ipc: of another container': joining('ipc', '/proc/42/ns/ipc'),
  'uts: host': hostNamespace('uts'),
  'uts: of another container': joining('uts', '/proc/42/ns/uts'),
  'cgroup: private': namespaces((list) => [...list, { type: 'cgroup' }]),
  'cgroup: of another container': joining('cgroup', '/proc/42/ns/cgroup'),

  'bind: as docker writes it': bind('rbind'),
  'bind: not recursive': bind('bind'),
  'bind: read-only': bind('rbind', 'ro'),
  'bind: read-only all the way': bind('rbind', 'ro', 'rro'),
  'bind: read-write': bind('rbind', 'rw'),
  'bind: rprivate': bind('rbind', 'rprivate'),
  'bind: rslave': bind('rbind', 'rslave'),
  'bind: rshared': bind('rbind', 'rshared'),
  'bind: private': bind('bind', 'private'),
  'bind: nosuid, nodev, noexec': bind('rbind', 'nosuid', 'nodev', 'noexec'),
  'bind: noatime': bind('rbind', 'noatime'),
  'bind: relatime': bind('rbind', 'relatime'),
  'bind: with a label': bind('rbind', 'z'),
  'bind: two': withMounts(
    mount('/data', 'bind', '/srv/data', 'rbind'),
    mount('/data/deeper', 'bind', '/srv/deeper', 'rbind', 'ro'),
  ),
  'bind: a file of the daemon': withMounts(
    mount('/etc/hosts', 'bind', '/var/lib/gantry/containers/c/hosts', 'rbind', 'rprivate'),
  ),
  'bind: over a file of proc': withMounts(mount('/proc/cpuinfo', 'bind', '/srv/cpuinfo', 'bind', 'ro')),
  'bind: a path that needs cleaning': withMounts(mount('/data//x/../y/', 'bind', '/srv', 'bind')),
  'bind: over /dev': withMounts(mount('/dev', 'bind', '/srv/dev', 'rbind')),
  'volume: filled from the image': withMounts({
    ...mount('/data', 'bind', '/var/lib/gantry/volumes/v/_data', 'rbind'),
    copyUp: true,
  }),
  'volume: filled from the image, read-only': withMounts({
    ...mount('/data', 'bind', '/var/lib/gantry/volumes/v/_data', 'rbind', 'ro'),
    copyUp: true,
  }),
  'tmpfs: as docker writes it': withMounts(mount('/scratch', 'tmpfs', 'tmpfs', 'noexec', 'nosuid', 'nodev')),
  'tmpfs: with a size': withMounts(mount('/scratch', 'tmpfs', 'tmpfs', 'size=1m', 'mode=700', 'uid=5')),
  'tmpfs: with exec again': withMounts(mount('/scratch', 'tmpfs', 'tmpfs', 'noexec', 'exec')),
  'tmpfs: read-only': withMounts(mount('/scratch', 'tmpfs', 'tmpfs', 'ro')),
  'another filesystem': withMounts(mount('/bpf', 'bpf', 'bpf', 'nosuid', 'mode=0700')),
  'cgroups writable': withSpec({
    mounts: BASE_SPEC.mounts.map((each) => (each.type === 'cgroup' ? { ...each, options: ['nosuid'] } : each)),
  }),
  'no cgroup mount': withSpec({ mounts: BASE_SPEC.mounts.filter((each) => each.type !== 'cgroup') }),
  'sysfs writable': withSpec({
    mounts: BASE_SPEC.mounts.map((each) => (each.type === 'sysfs' ? { ...each, options: ['nosuid', 'rw'] } : each)),
  }),
  'a cgroup parent of its own': withLinux({ cgroupsPath: `/user/deeper/${ID}` }),
};

const LIMITS = ['memory: ', 'cpu: ', 'pids: ', 'blkio: ', 'devices: a denial', 'cgroup: private'];

/** Every wish on the machine most have here, those that touch cgroups on pure v2 too, and machines of other kinds. */
export const VARIANTS: readonly Variant[] = [
  ...Object.entries(PLANS).map(([name, plan]) => ({ name, plan, machine: machine() })),
  ...Object.entries(PLANS)
    .filter(([name]) => LIMITS.some((prefix) => name.startsWith(prefix)))
    .map(([name, plan]) => ({ name: `v2, ${name}`, plan, machine: machine(LAYOUTS.v2) })),
  { name: 'without keyrings', plan: BASE_PLAN, machine: machine(LAYOUTS.hybrid, false) },
  { name: 'controllers mounted together', plan: BASE_PLAN, machine: machine(LAYOUTS.joined) },
];
