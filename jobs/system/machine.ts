/** What the kernel of this machine can do for containers; read once at start, told by `info`. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where cgroups are mounted. */
export interface CgroupMounts {
  /** v1: mount point of each controller's hierarchy; empty on pure v2. */
  readonly v1: ReadonlyMap<string, string>;
  /** Mount point of the one tree of v2, and the controllers it offers; null where there is none. */
  readonly unified: { readonly path: string; readonly controllers: readonly string[] } | null;
}

/** Limits that this kernel can set, named as `info` has them. */
export interface Abilities {
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly KernelMemoryTCP: boolean;
  readonly CpuCfsPeriod: boolean;
  readonly CpuCfsQuota: boolean;
  readonly CPUShares: boolean;
  readonly CPUSet: boolean;
  readonly PidsLimit: boolean;
  readonly OomKillDisable: boolean;
  readonly IPv4Forwarding: boolean;
}

export async function readAbilities(mounts: CgroupMounts): Promise<Abilities> {
  const forwarding = await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8').catch(() => '0');
  const limits = mounts.v1.size === 0 ? await unifiedLimits(mounts) : controllerLimits(mounts);
  return { ...limits, IPv4Forwarding: forwarding.trim() === '1' };
}

function controllerLimits({ v1 }: CgroupMounts): Omit<Abilities, 'IPv4Forwarding'> {
  const has = (controller: string, file: string) => {
    const folder = v1.get(controller);
    return folder !== undefined && existsSync(join(folder, file));
  };
  return {
    MemoryLimit: has('memory', 'memory.limit_in_bytes'),
    SwapLimit: has('memory', 'memory.memsw.limit_in_bytes'),
    KernelMemoryTCP: has('memory', 'memory.kmem.tcp.limit_in_bytes'),
    CpuCfsPeriod: has('cpu', 'cpu.cfs_period_us'),
    CpuCfsQuota: has('cpu', 'cpu.cfs_quota_us'),
    CPUShares: has('cpu', 'cpu.shares'),
    CPUSet: has('cpuset', 'cpuset.cpus'),
    PidsLimit: v1.has('pids'),
    OomKillDisable: has('memory', 'memory.oom_control'),
  };
}

/** The root group has no limits of its own: whether swap is counted shows in a group below it. */
async function unifiedLimits({ unified }: CgroupMounts): Promise<Omit<Abilities, 'IPv4Forwarding'>> {
  const root = unified?.path ?? '/sys/fs/cgroup';
  const controllers = unified?.controllers ?? [];
  const groups = await readdir(root, { withFileTypes: true }).catch(() => []);
  const below = groups.filter((group) => group.isDirectory()).map((group) => join(root, group.name));
  const memory = controllers.includes('memory');
  const cpu = controllers.includes('cpu');
  return {
    MemoryLimit: memory,
    SwapLimit: memory && below.some((group) => existsSync(join(group, 'memory.swap.max'))),
    KernelMemoryTCP: false,
    CpuCfsPeriod: cpu,
    CpuCfsQuota: cpu,
    CPUShares: cpu,
    CPUSet: controllers.includes('cpuset'),
    PidsLimit: controllers.includes('pids'),
    OomKillDisable: false,
  };
}

/** In dockerd's words. */
export function warningsOf(abilities: Abilities, isV1: boolean): string[] {
  const missing: [boolean, string][] = [
    [abilities.MemoryLimit, 'No memory limit support'],
    [abilities.SwapLimit, 'No swap limit support'],
    [abilities.OomKillDisable || !isV1, 'No oom kill disable support'],
    [abilities.CpuCfsQuota, 'No cpu cfs quota support'],
    [abilities.CpuCfsPeriod, 'No cpu cfs period support'],
    [abilities.CPUShares, 'No cpu shares support'],
    [abilities.CPUSet, 'No cpuset support'],
    [abilities.PidsLimit, 'No pids limit support'],
    [abilities.IPv4Forwarding, 'IPv4 forwarding is disabled'],
  ];
  return missing.flatMap(([isThere, text]) => (isThere ? [] : [`WARNING: ${text}`]));
}
