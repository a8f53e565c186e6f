/**
 * `mounts` of an OCI spec as operations (runtime-spec, config.md, "Mounts").
 *
 * A bind's source is cloned before `clone`, out of the host's own mount namespace, because only there it still has its
 * peers: a copy that is to be their slave, or one of them, cannot be made later. What is attached is the very mount
 * that was cloned, so no second look-up of the source can be led astray. Targets are looked up beneath the rootfs.
 */
import { posix } from 'node:path';
import { InvalidParameter } from '../../api/errors.ts';
import type { OciMount } from '../../api/oci.ts';
import { type Fragment, joined, type Slots } from './fragment.ts';
import { MOUNT_ATTR, type MountOptions, MS, parseMountOptions } from './mount-options.ts';
import { FLAG, type Operation, SLOT } from './program.ts';

const OWNER = 'exec/mounts';
/** fcntl.h */
const O_PATH = 0o10000000;
const O_DIRECTORY = 0o200000;

/** Files of /proc that a bind may cover: what lxcfs and the like put in their place (runc's list). */
const COVERABLE = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/meminfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/slabinfo',
  '/proc/net/dev',
  '/proc/sys/kernel/ns_last_pid',
  '/proc/sys/crypto/fips_enabled',
]);

/** Mounts a container's cgroups on a folder of its rootfs. */
export type CgroupMounts = (target: string, options: MountOptions, slots: Slots) => Fragment;

export function mountOperations(mounts: readonly OciMount[], slots: Slots, cgroups: CgroupMounts): Fragment {
  return joined(mounts.map((mount) => one(mount, slots, cgroups)));
}

function one(mount: OciMount, slots: Slots, cgroups: CgroupMounts): Fragment {
  const target = posix.normalize(mount.destination);
  if (!posix.isAbsolute(target))
    throw new InvalidParameter(`invalid mount path: '${target}' mount path must be absolute`);
  if (target === '/') throw new InvalidParameter(`invalid specification: destination can't be '/'`);
  const options = parseMountOptions(mount.options);
  if (mount.type === 'bind' || options.bind) return bind(mount, target, options, slots);
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') return cgroups(target, options, slots);
  return { before: [], after: [filesystem(mount, target, options)] };
}

/** A filesystem of its own: proc, sysfs, tmpfs, devpts, mqueue and whatever else the kernel has. */
function filesystem(mount: OciMount, target: string, options: MountOptions): Operation {
  if (mount.type !== 'proc') refuseInsideProc(mount, target);
  return {
    op: 'mount_beneath',
    owner: OWNER,
    root: SLOT.rootfs,
    fstype: mount.type,
    source: mount.source,
    target,
    attributes: options.set | options.recursiveSet,
    options: options.data,
    propagation: options.propagation,
    flags: FLAG.createDir,
  };
}

function bind(mount: OciMount, target: string, options: MountOptions, slots: Slots): Fragment {
  refuseInsideProc(mount, target);
  const slot = slots.take();
  const recursive = options.recursiveBind ? FLAG.recursive : 0;
  const source: Operation = { op: 'clone_tree', owner: OWNER, slot, path: mount.source, flags: recursive };
  const attach: Operation = {
    op: 'attach_beneath',
    owner: OWNER,
    slot,
    root: SLOT.rootfs,
    target,
    // Both: a folder for a folder, an empty file for anything else.
    flags: FLAG.createDir | FLAG.createFile,
  };
  const copyUp: Operation[] = mount.copyUp
    ? [{ op: 'copy_up', owner: OWNER, root: SLOT.rootfs, path: target, slot }]
    : [];
  return { before: [source], after: [...copyUp, ...attributes(slot, options), attach] };
}

/** Private unless asked otherwise: nothing that is mounted later on one side shows on the other. */
function attributes(slot: number, options: MountOptions): Operation[] {
  const propagation = options.propagation === 0n ? MS.private : options.propagation;
  const everywhere = options.propagation === 0n || options.recursivePropagation ? FLAG.recursive : 0;
  const change = { op: 'mount_setattr', owner: OWNER, slot } as const;
  const operations: Operation[] = [{ ...change, set: 0n, clear: 0n, propagation, flags: everywhere }];
  if (options.set !== 0n || options.clear !== 0n) {
    operations.push({ ...change, set: options.set, clear: options.clear, propagation: 0n, flags: 0 });
  }
  if (options.recursiveSet !== 0n) {
    operations.push({ ...change, set: options.recursiveSet, clear: 0n, propagation: 0n, flags: FLAG.recursive });
  }
  return operations;
}

/** A mount over /proc or in it could make the files that confine the container fakes (CVE-2019-16884). */
function refuseInsideProc(mount: OciMount, target: string): void {
  if (target !== '/proc' && !target.startsWith('/proc/')) return;
  if (COVERABLE.has(target)) return;
  const why = target === '/proc' ? 'because it is not of type proc' : 'because it is inside /proc';
  throw new InvalidParameter(
    `error mounting "${mount.source}" to rootfs at "${target}": "${target}" cannot be mounted ${why}`,
  );
}

export function openBeneath(slot: number, path: string): Operation {
  return {
    op: 'open_beneath',
    owner: OWNER,
    slot,
    root: SLOT.rootfs,
    path,
    openFlags: O_PATH | O_DIRECTORY,
    flags: 0,
  };
}

/** Hides masked paths and makes others read-only; what a kernel does not have is passed over. */
export function pathOperations(masked: readonly string[], readonly: readonly string[]): Operation[] {
  return [
    ...readonly.map(
      (path): Operation => ({
        op: 'bind_beneath',
        owner: OWNER,
        root: SLOT.rootfs,
        source: path,
        target: path,
        flags: FLAG.readonly | FLAG.recursive | FLAG.missingOk,
      }),
    ),
    ...masked.map((path): Operation => ({ op: 'mask_beneath', owner: OWNER, root: SLOT.rootfs, path })),
  ];
}

/** What `/` itself is to be, once it is the root. */
export function rootOperations(readonly: boolean, rootfsPropagation: string): Operation[] {
  const { propagation, recursivePropagation } = parseMountOptions(rootfsPropagation === '' ? [] : [rootfsPropagation]);
  const attributes = readonly ? MOUNT_ATTR.readonly : 0n;
  if (attributes === 0n && propagation === 0n) return [];
  const everywhere = recursivePropagation ? MS.recursive : 0n;
  return [
    {
      op: 'remount_root',
      owner: OWNER,
      attributes,
      propagation: propagation === 0n ? 0n : propagation | everywhere,
    },
  ];
}
