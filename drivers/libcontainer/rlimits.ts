import { InvalidParameter } from '../../api/errors.ts';
import type { OciProcess } from '../../api/oci.ts';
import type { Operation } from './program.ts';

/** asm-generic/resource.h, the same on x86 and ARM. */
const RESOURCES: Readonly<Record<string, number>> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};
const INFINITY = 0xffff_ffff_ffff_ffffn;

/** prlimit(2) for each limit; -1 means none. Fails with InvalidParameter for an unknown name. */
export function rlimitOperations(limits: OciProcess['rlimits']): Operation[] {
  return limits.map(({ type, soft, hard }) => {
    const resource = RESOURCES[type];
    if (resource === undefined) throw new InvalidParameter(`invalid rlimit value: ${type}`);
    return { op: 'rlimit', owner: 'exec/process', resource, soft: limit(soft), hard: limit(hard), flags: 0 };
  });
}

const limit = (value: number): bigint => (value < 0 ? INFINITY : BigInt(value));
