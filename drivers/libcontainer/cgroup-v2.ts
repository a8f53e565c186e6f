/** Limits by cgroup v2 (the kernel's Documentation/admin-guide/cgroup-v2.rst), from the v1 numbers that Docker speaks. */
import type { OciResources } from '../../api/oci.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { FLAG, type Operation } from './program.ts';

type Limit = readonly [file: string, value: number | string | null, mayFail?: 'may fail'];

export function limitsV2({ unified }: CgroupLayout, path: string, resources: OciResources): Operation[] {
  return limits(resources).flatMap(([file, value, mayFail]) => {
    if (value === null) return [];
    const flags = mayFail === undefined ? 0 : FLAG.mayFail;
    return [{ op: 'write', owner: 'exec/cgroup', path: `${unified}${path}/${file}`, data: String(value), flags }];
  });
}

function limits({ memory, cpu, pids, blockIO }: OciResources): Limit[] {
  return [
    ['memory.max', orMax(memory.limit)],
    ['memory.low', memory.reservation],
    ['memory.swap.max', swapAlone(memory), 'may fail'],
    ['cpu.weight', cpu.shares === null || cpu.shares === 0 ? null : weightOfShares(cpu.shares)],
    ['cpu.max', cpuMax(cpu)],
    ['cpuset.cpus', cpu.cpus === '' ? null : cpu.cpus],
    ['cpuset.mems', cpu.mems === '' ? null : cpu.mems],
    ['pids.max', orMax(pids.limit)],
    ['io.weight', blockIO.weight === null || blockIO.weight === 0 ? null : ioWeight(blockIO.weight), 'may fail'],
  ];
}

const orMax = (value: number | null): number | string | null => (value !== null && value < 0 ? 'max' : value);

/** v1 limits memory and swap together, v2 swap alone. */
function swapAlone({ limit, swap }: OciResources['memory']): number | string | null {
  if (swap === null || swap < 0) return orMax(swap);
  return swap - Math.max(limit ?? 0, 0);
}

/** Shares of 2 to 262144 as a weight of 1 to 10000 (runtime-spec, as runc and crun do it). */
const weightOfShares = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262_142);

/** A weight of 10 to 1000 as one of 1 to 10000. */
const ioWeight = (weight: number): number => 1 + Math.floor(((weight - 10) * 9999) / 990);

function cpuMax({ quota, period }: OciResources['cpu']): string | null {
  if (quota === null && period === null) return null;
  const most = quota === null || quota <= 0 ? 'max' : String(quota);
  return period === null ? most : `${most} ${period}`;
}
