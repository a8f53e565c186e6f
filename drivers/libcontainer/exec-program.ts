/** One more process in a container, from top to bottom. */
import type { OciProcess } from '../../api/oci.ts';
import { joinOperations } from './cgroup.ts';
import type { Machine } from './container-program.ts';
import { identityOperations } from './identity.ts';
import { CLONE } from './namespaces.ts';
import { type Operation, SLOT } from './program.ts';
import { type ConsoleSize, terminalOperations } from './terminal.ts';

const OWNER = 'exec';
/** fcntl.h */
const O_PATH = 0o10000000;
const O_DIRECTORY = 0o200000;

export interface ExecPlan {
  /** The container's: its processes share a session keyring. */
  readonly container: string;
  readonly cgroupsPath: string;
  /** Of the v2 tree: where init is. A cgroup whose children have controllers takes no process itself (cgroups(7)). */
  readonly unifiedPath: string;
  readonly process: OciProcess;
  readonly user: string;
  readonly consoleSize: ConsoleSize;
  /** The container's own filter, or null. */
  readonly filter: Uint8Array | null;
}

/** All that a container may have of its own; joining the one where one is changes nothing. */
const EVERY_NAMESPACE = CLONE.cgroup | CLONE.ipc | CLONE.uts | CLONE.network | CLONE.pid | CLONE.mount;

/** Compiles an exec; SLOT.pidfd has the container's init. Pure. Fails with InvalidParameter for a process that cannot be. */
export function execProgram(plan: ExecPlan, machine: Machine): Operation[] {
  return [
    // While the host's paths are still there. A container that has ended meanwhile has no cgroup to join.
    ...joinOperations(machine.cgroups, plan),
    // By pidfd, so of that very process, whoever has its number by now.
    { op: 'setns', owner: OWNER, slot: SLOT.pidfd, namespaces: EVERY_NAMESPACE },
    { op: 'open', owner: OWNER, slot: SLOT.rootfs, path: '/', openFlags: O_PATH | O_DIRECTORY, flags: 0 },
    { op: 'setsid', owner: OWNER },
    ...terminalOperations(plan.process, plan.consoleSize),
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
