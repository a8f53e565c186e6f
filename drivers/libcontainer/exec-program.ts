/** One more process in a container, from top to bottom. */
import type { OciNamespace, OciProcess } from '../../api/oci.ts';
import { joinOperations } from './cgroup.ts';
import type { Machine } from './container-program.ts';
import { Slots } from './fragment.ts';
import { identityOperations } from './identity.ts';
import { CLONE } from './namespaces.ts';
import { type Operation, SLOT } from './program.ts';

const OWNER = 'exec';
/** fcntl.h */
const O_PATH = 0o10000000;
const O_DIRECTORY = 0o200000;

export interface ExecPlan {
  /** The container's: its processes share a session keyring. */
  readonly container: string;
  /** Of the container's init, as the host sees it. */
  readonly pid: number;
  readonly cgroupsPath: string;
  readonly process: OciProcess;
  readonly user: string;
  readonly consoleSize: readonly [height: number, width: number] | null;
  /** The container's own filter, or null. */
  readonly filter: Uint8Array | null;
}

/** Names of namespaces in /proc/<pid>/ns. The mount namespace comes last: behind it the host's paths are gone. */
const NAMESPACES: readonly (readonly [file: string, type: OciNamespace['type']])[] = [
  ['cgroup', 'cgroup'],
  ['ipc', 'ipc'],
  ['uts', 'uts'],
  ['net', 'network'],
  ['pid', 'pid'],
  ['mnt', 'mount'],
];

/** Compiles an exec. Pure. Fails with InvalidParameter for a process that cannot be. */
export function execProgram(plan: ExecPlan, machine: Machine): Operation[] {
  const slots = new Slots();
  const namespaces = NAMESPACES.map(([file, type]) => ({ file, type, slot: slots.take() }));
  return [
    // All are opened before the first is joined: they are then of one process, or there is none any more.
    ...namespaces.map(
      ({ file, slot }): Operation => ({
        op: 'open',
        owner: OWNER,
        slot,
        path: `/proc/${plan.pid}/ns/${file}`,
        openFlags: 0,
        flags: 0,
      }),
    ),
    // A container that has ended meanwhile has no cgroup to join.
    ...joinOperations(machine.cgroups, plan.cgroupsPath),
    ...namespaces.map(
      ({ type, slot }): Operation => ({ op: 'setns', owner: OWNER, slot, namespaces: CLONE[type] }),
    ),
    { op: 'open', owner: OWNER, slot: SLOT.rootfs, path: '/', openFlags: O_PATH | O_DIRECTORY, flags: 0 },
    { op: 'setsid', owner: OWNER },
    ...terminal(plan),
    { op: 'chdir', owner: OWNER, path: plan.process.cwd, flags: 0 },
    ...identityOperations({
      process: plan.process,
      user: plan.user,
      filter: plan.filter,
      keyring: machine.keyrings ? plan.container : null,
      init: false,
    }),
  ];
}

function terminal({ process, consoleSize }: ExecPlan): Operation[] {
  if (!process.terminal) return [];
  const [height, width] = consoleSize ?? [0, 0];
  return [{ op: 'console', owner: OWNER, root: SLOT.rootfs, height, width }];
}
