/** Limits by cgroup v1 (the kernel's Documentation/admin-guide/cgroup-v1). */
import type { OciDeviceRule, OciResources } from '../../api/oci.ts';
import { type CgroupLayout, hierarchyOf } from './cgroup-layout.ts';
import { DEFAULT_DEVICE_RULES } from './devices.ts';
import { FLAG, type Operation } from './program.ts';

type Limit = readonly [controller: string, file: string, value: number | string | null, mayFail?: 'may fail'];

export function limitsV1(layout: CgroupLayout, path: string, resources: OciResources): Operation[] {
  return [...limits(resources), ...deviceLimits(resources.devices)].flatMap(([controller, file, value, mayFail]) => {
    if (value === null) return [];
    const root = hierarchyOf(layout, controller);
    // A controller that the kernel lacks cannot limit: that is told, by the write that fails.
    const folder = root ?? `/sys/fs/cgroup/${controller}`;
    const flags = mayFail !== undefined || root === null ? FLAG.mayFail : 0;
    return [{ op: 'write', owner: 'exec/cgroup', path: `${folder}${path}/${file}`, data: String(value), flags }];
  });
}

function limits({ memory, cpu, pids, blockIO }: OciResources): Limit[] {
  return [
    // First memory, then memory and swap: the second may never be less than the first.
    ['memory', 'memory.limit_in_bytes', memory.limit],
    ['memory', 'memory.memsw.limit_in_bytes', memory.swap, 'may fail'],
    ['memory', 'memory.soft_limit_in_bytes', memory.reservation],
    ['memory', 'memory.swappiness', memory.swappiness, 'may fail'],
    ['memory', 'memory.oom_control', memory.disableOOMKiller ? 1 : null, 'may fail'],
    ['cpu', 'cpu.shares', cpu.shares],
    // A quota may be larger than the old period allows, so the period comes first.
    ['cpu', 'cpu.cfs_period_us', cpu.period],
    ['cpu', 'cpu.cfs_quota_us', cpu.quota],
    ['cpuset', 'cpuset.cpus', cpu.cpus === '' ? null : cpu.cpus],
    ['cpuset', 'cpuset.mems', cpu.mems === '' ? null : cpu.mems],
    ['pids', 'pids.max', pids.limit !== null && pids.limit < 0 ? 'max' : pids.limit],
    ['blkio', 'blkio.bfq.weight', blockIO.weight === 0 ? null : blockIO.weight, 'may fail'],
  ];
}

/** A rule for everything comes to nothing but itself in this file's language, so what follows adds to it. */
function deviceLimits(rules: readonly OciDeviceRule[]): Limit[] {
  return [...rules, ...DEFAULT_DEVICE_RULES].map((rule) => {
    const file = rule.allow ? 'devices.allow' : 'devices.deny';
    return ['devices', file, deviceWords(rule)];
  });
}

function deviceWords({ type, major, minor, access }: OciDeviceRule): string {
  if (type === 'a') return 'a';
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
}
