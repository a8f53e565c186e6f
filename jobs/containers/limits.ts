/**
 * (pure) Are the limits asked for such that this machine can set them? Bounds and words are dockerd's
 * (daemon/daemon_unix.go, `verifyPlatformContainerResources`).
 */
import type { HostConfig } from '../../api/container.ts';
import { InvalidParameter, NotImplemented } from '../../api/errors.ts';
import type { Host } from '../host.ts';

/** The least memory a process can start in, in bytes (6 MiB). */
const MIN_MEMORY = 6 * 1024 ** 2;
/** Microseconds, as the kernel's cpu.cfs_period_us allows. */
const MIN_CPU_PERIOD = 1000;
const MAX_CPU_PERIOD = 1_000_000;
const NANO_CPUS = 1_000_000_000;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;

const ULIMITS = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
];

type Machine = Pick<Host, 'cpus' | 'memoryNodes'>;

/** Fails with InvalidParameter or NotImplemented; gives warnings for what is taken but not done. */
export function checkLimits(limits: HostConfig, machine: Machine): string[] {
  checkMemory(limits);
  checkCpu(limits, machine);
  checkCpuSets(limits, machine);
  checkBlockIO(limits);
  checkUlimits(limits);
  if (limits.OomScoreAdj < -1000 || limits.OomScoreAdj > 1000) {
    throw new InvalidParameter(`Invalid value ${limits.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if (limits.ShmSize < 0) throw new InvalidParameter('SHM size can not be less than 0');
  return warningsFor(limits);
}

function checkMemory({ Memory, MemorySwap, MemoryReservation, MemorySwappiness }: HostConfig): void {
  if (Memory !== 0 && Memory < MIN_MEMORY) throw new InvalidParameter('Minimum memory limit allowed is 6MB');
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    throw new InvalidParameter('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (Memory === 0 && MemorySwap > 0) {
    throw new InvalidParameter('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (MemorySwap < -1) throw new InvalidParameter(`Invalid value ${MemorySwap} for memory swap: -1 is for no limit`);
  if (MemorySwappiness !== null && (MemorySwappiness < -1 || MemorySwappiness > 100)) {
    throw new InvalidParameter(`Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`);
  }
  if (MemoryReservation !== 0 && MemoryReservation < MIN_MEMORY) {
    throw new InvalidParameter('Minimum memory reservation allowed is 6MB');
  }
  if (Memory > 0 && MemoryReservation > 0 && Memory < MemoryReservation) {
    throw new InvalidParameter('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}

function checkCpu({ NanoCpus, CpuPeriod, CpuQuota, CpuShares }: HostConfig, { cpus }: Machine): void {
  if (NanoCpus > 0 && CpuPeriod > 0) {
    throw new InvalidParameter('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  }
  if (NanoCpus > 0 && CpuQuota > 0) {
    throw new InvalidParameter('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  }
  if (NanoCpus < 0 || NanoCpus > cpus * NANO_CPUS) {
    throw new InvalidParameter(`Range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
  }
  if (CpuPeriod !== 0 && (CpuPeriod < MIN_CPU_PERIOD || CpuPeriod > MAX_CPU_PERIOD)) {
    throw new InvalidParameter('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (CpuQuota > 0 && CpuQuota < MIN_CPU_PERIOD) {
    throw new InvalidParameter('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  }
  if (CpuShares !== 0 && CpuShares < MIN_SHARES) {
    throw new InvalidParameter(`The minimum allowed cpu-shares is ${MIN_SHARES}`);
  }
  if (CpuShares > MAX_SHARES) throw new InvalidParameter(`The maximum allowed cpu-shares is ${MAX_SHARES}`);
}

function checkCpuSets({ CpusetCpus, CpusetMems }: HostConfig, { cpus, memoryNodes }: Machine): void {
  const numbers = parseCpuSet(CpusetCpus, 'cpus');
  if (numbers.some((number) => number >= cpus)) {
    throw new InvalidParameter(
      `Requested CPUs are not available - requested ${CpusetCpus}, available: ${cpus === 1 ? '0' : `0-${cpus - 1}`}`,
    );
  }
  const available = parseCpuSet(memoryNodes, 'mems').at(-1) ?? 0;
  if (parseCpuSet(CpusetMems, 'mems').some((number) => number > available)) {
    throw new InvalidParameter(
      `Requested memory nodes are not available - requested ${CpusetMems}, available: ${memoryNodes}`,
    );
  }
}

/** `0-2,5`: the first and last number of each part. */
function parseCpuSet(text: string, name: 'cpus' | 'mems'): number[] {
  if (text === '') return [];
  const bad = () => new InvalidParameter(`Invalid value ${text} for cpuset ${name}: invalid format: ${text}`);
  return text.split(',').flatMap((part) => {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part);
    if (match === null) throw bad();
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) throw bad();
    return [first, last];
  });
}

function checkBlockIO(limits: HostConfig): void {
  if (limits.BlkioWeight !== 0 && (limits.BlkioWeight < 10 || limits.BlkioWeight > 1000)) {
    throw new InvalidParameter('Range of blkio weight is from 10 to 1000');
  }
  const perDevice = [
    'BlkioWeightDevice',
    'BlkioDeviceReadBps',
    'BlkioDeviceWriteBps',
    'BlkioDeviceReadIOps',
    'BlkioDeviceWriteIOps',
  ] as const;
  for (const field of perDevice) {
    if ((limits[field] ?? []).length > 0) throw new NotImplemented(`${field}: limits a device are not available yet`);
  }
  if (limits.CpuRealtimePeriod !== 0 || limits.CpuRealtimeRuntime !== 0) {
    throw new NotImplemented('Your kernel does not support CPU real-time scheduler');
  }
}

function checkUlimits({ Ulimits }: HostConfig): void {
  for (const { Name, Soft, Hard } of Ulimits ?? []) {
    if (!ULIMITS.includes(Name)) throw new InvalidParameter(`invalid ulimit type: ${Name}`);
    if (Soft < -1 || Hard < -1) throw new InvalidParameter(`invalid ulimit ${Name}: -1 is for no limit`);
    if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
      throw new InvalidParameter(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
    }
  }
}

function warningsFor(limits: HostConfig): string[] {
  const warnings: string[] = [];
  if (limits.OomKillDisable === true && limits.Memory === 0) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  if (limits.KernelMemoryTCP !== 0) {
    warnings.push('Specifying a kernel memory TCP limit is deprecated. Limit discarded.');
  }
  for (const field of ['CpuCount', 'CpuPercent', 'IOMaximumIOps', 'IOMaximumBandwidth'] as const) {
    if (limits[field] !== 0) warnings.push(`${field} is for Windows containers. Limit discarded.`);
  }
  return warnings;
}
