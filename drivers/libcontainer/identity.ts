/** What a process is: its user, its limits, its powers, its filter. The last steps before `execve`. */
import { CAPABILITIES } from '../../api/capabilities.ts';
import { InvalidParameter } from '../../api/errors.ts';
import type { OciProcess } from '../../api/oci.ts';
import { type Operation, SLOT } from './program.ts';
import { rlimitOperations } from './rlimits.ts';

const OWNER = 'exec/process';

export interface IdentityRequest {
  readonly process: OciProcess;
  /** As the user wrote it. */
  readonly user: string;
  /** A compiled filter, or null. */
  readonly filter: Uint8Array | null;
  /** Name of the session keyring, or null where the kernel has none. */
  readonly keyring: string | null;
  /** Put a reaper in front. */
  readonly init: boolean;
}

export function identityOperations({ process, user, filter, keyring, init }: IdentityRequest): Operation[] {
  const seccomp: Operation[] = filter === null ? [] : [{ op: 'seccomp', owner: OWNER, filter }];
  const take = credentials(process);
  return [
    ...(keyring === null ? [] : [{ op: 'keyring', owner: OWNER, name: keyring, flags: 0 } as const]),
    lookupUser(process, user),
    { op: 'oom_score_adj', owner: OWNER, value: process.oomScoreAdj, flags: 0 },
    // To raise a hard limit takes a capability that `credentials` may take away.
    ...rlimitOperations(process.rlimits),
    { op: 'umask', owner: OWNER, mask: process.user.umask },
    // Loading a filter takes CAP_SYS_ADMIN, unless the process has given up gaining privileges; then it can come last,
    // and needs to allow nothing but what the process itself will do.
    ...(process.noNewPrivileges
      ? [take, { op: 'no_new_privs', owner: OWNER } as const, ...seccomp]
      : [...seccomp, take]),
    ...(init ? [{ op: 'init', owner: OWNER } as const] : []),
    { op: 'execve', owner: OWNER, argv: process.args, env: process.env },
  ];
}

function lookupUser(process: OciProcess, user: string): Operation {
  return {
    op: 'lookup_user',
    owner: OWNER,
    root: SLOT.rootfs,
    user: user === '' ? `${process.user.uid}:${process.user.gid}` : user,
    groups: process.groupNames,
    gids: process.user.additionalGids.map(String),
  };
}

function credentials({ capabilities }: OciProcess): Operation {
  return {
    op: 'credentials',
    owner: OWNER,
    bounding: bits(capabilities.bounding),
    permitted: bits(capabilities.permitted),
    effective: bits(capabilities.effective),
    inheritable: bits(capabilities.inheritable),
    ambient: bits(capabilities.ambient),
    flags: 0,
  };
}

/** `CAP_CHOWN`, … → a mask. Fails with InvalidParameter for an unknown name. */
export function bits(names: readonly string[]): bigint {
  return names.reduce((mask, name) => {
    const bit = CAPABILITIES.indexOf(name);
    if (bit < 0) throw new InvalidParameter(`invalid capability: "${name}"`);
    return mask | (1n << BigInt(bit));
  }, 0n);
}
