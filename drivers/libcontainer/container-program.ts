/** The birth of a container, from top to bottom. */
import type { OciSpec } from '../../api/oci.ts';
import { cgroupPlan } from './cgroup.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { cgroupMounts } from './cgroup-mount.ts';
import { deviceOperations } from './devices.ts';
import { Slots } from './fragment.ts';
import { identityOperations } from './identity.ts';
import { MS } from './mount-options.ts';
import { mountOperations, pathOperations, rootOperations } from './mounts.ts';
import { CLONE, type NamespacePlan, namespacePlan } from './namespaces.ts';
import { FLAG, type Operation, SLOT } from './program.ts';
import { sysctlOperations } from './sysctls.ts';
import { type ConsoleSize, terminalOperations } from './terminal.ts';

const OWNER = 'exec';

/** What a program needs to know of the machine. */
export interface Machine {
  readonly cgroups: CgroupLayout;
  /** The kernel has keyrings (keyrings(7)). */
  readonly keyrings: boolean;
}

export interface ContainerPlan {
  readonly id: string;
  readonly spec: OciSpec;
  readonly user: string;
  readonly init: boolean;
  /** Of the graph driver: mounts the rootfs on `spec.root.path` and opens it in SLOT.rootfs. */
  readonly rootfs: readonly Operation[];
  /** Of the network driver. */
  readonly network: { readonly newNamespace: boolean; readonly operations: readonly Operation[] };
  readonly consoleSize: ConsoleSize;
  /** The compiled seccomp filter, or null. */
  readonly filter: Uint8Array | null;
}

/** Compiles a container. Pure. Fails with InvalidParameter for a spec that cannot be. */
export function containerProgram(plan: ContainerPlan, machine: Machine): Operation[] {
  const { spec } = plan;
  const { linux } = spec;
  const slots = new Slots();
  const namespaces = namespacePlan(linux.namespaces, plan.network.newNamespace, slots);
  const cgroup = cgroupPlan(machine.cgroups, linux.cgroupsPath, linux.resources, slots);
  const mounts = mountOperations(
    spec.mounts,
    slots,
    cgroupMounts(machine.cgroups, linux.cgroupsPath, namespaces.newCgroup),
  );
  const own = { ipc: namespaces.has('ipc'), network: namespaces.has('network') };

  return [
    // The monitor, in the host's namespaces.
    ...cgroup.before,
    { op: 'mkdir', owner: OWNER, path: spec.root.path, mode: 0o700, flags: 0 },
    ...mounts.before,
    ...namespaces.joined.before,

    { op: 'clone', owner: OWNER, namespaces: namespaces.created, cgroupSlot: cgroup.slot },

    // The container's first process. Limits bind from here on, so that all it uses is on its own account.
    ...cgroup.join,
    ...(namespaces.newCgroup ? [{ op: 'unshare', owner: OWNER, namespaces: CLONE.cgroup } as const] : []),
    ...namespaces.joined.after,
    ...names(spec, namespaces),
    ...plan.network.operations,

    // The host's mounts, in a namespace of our own: nothing that follows shows outside.
    { op: 'propagation', owner: OWNER, path: '/', mountFlags: MS.recursive | MS.private },
    ...plan.rootfs,
    ...mounts.after,
    ...deviceOperations(linux.devices, spec.mounts),
    { op: 'setsid', owner: OWNER },
    ...terminalOperations(spec.process, plan.consoleSize),
    // Before /proc/sys becomes read-only.
    ...sysctlOperations(linux.sysctl, own),
    ...pathOperations(linux.maskedPaths, linux.readonlyPaths),

    { op: 'pivot_root', owner: OWNER, slot: SLOT.rootfs },
    // The working directory is made where it is missing, so before the root may become read-only.
    { op: 'chdir', owner: OWNER, path: spec.process.cwd, flags: FLAG.createDir },
    ...rootOperations(spec.root.readonly, linux.rootfsPropagation),

    ...identityOperations({
      process: spec.process,
      user: plan.user,
      filter: plan.filter,
      keyring: machine.keyrings ? plan.id : null,
      init: plan.init,
    }),
  ];
}

function names(spec: OciSpec, namespaces: NamespacePlan): Operation[] {
  if ((namespaces.created & CLONE.uts) === 0) return [];
  const operations: Operation[] = [];
  if (spec.hostname !== '') operations.push({ op: 'sethostname', owner: OWNER, name: spec.hostname });
  if (spec.domainname) operations.push({ op: 'setdomainname', owner: OWNER, name: spec.domainname });
  return operations;
}
