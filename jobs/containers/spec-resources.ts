/** (pure) Limits and device rules of a container, as the OCI spec has them. */
import type { HostConfig } from '../../api/container.ts';
import type { OciDevice, OciDeviceRule, OciResources } from '../../api/oci.ts';

/** Microseconds: the period in which `--cpus` is counted. */
const CPU_PERIOD = 100_000;
const NANO_CPUS = 1_000_000_000;
/** FUSE: refused by name, as in Docker. */
const FUSE: OciDeviceRule = { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' };

const unlessZero = (value: number): number | null => (value === 0 ? null : value);

export function resourcesOf(wishes: HostConfig, devices: readonly OciDevice[]): OciResources {
  const { PidsLimit: pids, MemorySwappiness: swappiness } = wishes;
  const hasCpus = wishes.NanoCpus > 0;
  return {
    devices: deviceRules(wishes, devices),
    memory: {
      limit: unlessZero(wishes.Memory),
      reservation: unlessZero(wishes.MemoryReservation),
      swap: unlessZero(wishes.MemorySwap),
      swappiness: swappiness === -1 ? null : swappiness,
      disableOOMKiller: wishes.OomKillDisable === true,
    },
    cpu: {
      shares: unlessZero(wishes.CpuShares),
      quota: hasCpus ? Math.trunc((wishes.NanoCpus * CPU_PERIOD) / NANO_CPUS) : unlessZero(wishes.CpuQuota),
      period: hasCpus ? CPU_PERIOD : unlessZero(wishes.CpuPeriod),
      cpus: wishes.CpusetCpus,
      mems: wishes.CpusetMems,
    },
    pids: { limit: pids === null || pids === 0 ? null : Math.max(pids, -1) },
    blockIO: { weight: unlessZero(wishes.BlkioWeight) },
  };
}

/** Nothing, then what is asked for; the driver adds what every container may use. */
function deviceRules(wishes: HostConfig, devices: readonly OciDevice[]): OciDeviceRule[] {
  const any = { type: 'a', major: null, minor: null, access: 'rwm' } as const;
  if (wishes.Privileged) return [{ ...any, allow: true }];
  return [
    { ...any, allow: false },
    FUSE,
    ...devices.flatMap((device) => ruleFor(device, wishes)),
    ...(wishes.DeviceCgroupRules ?? []).map(parseRule),
  ];
}

function ruleFor({ path, type, major, minor }: OciDevice, { Devices }: HostConfig): OciDeviceRule[] {
  if (type === 'p') return [];
  const mapping = Devices?.find(({ PathInContainer, PathOnHost }) => {
    const target = PathInContainer || PathOnHost;
    return path === target || path.startsWith(`${target}/`);
  });
  return [{ allow: true, type, major, minor, access: mapping?.CgroupPermissions || 'rwm' }];
}

/** `c 10:200 rwm`, checked at create. */
function parseRule(rule: string): OciDeviceRule {
  const [type, numbers = '', access = 'rwm'] = rule.split(' ');
  const [major, minor] = numbers.split(':').map((number) => (number === '*' ? null : Number(number)));
  const kind = type === 'b' || type === 'c' ? type : 'a';
  return { allow: true, type: kind, major: major ?? null, minor: minor ?? null, access };
}
