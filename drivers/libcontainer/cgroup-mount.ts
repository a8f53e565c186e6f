/**
 * A container's view of its cgroups. v1: a tmpfs with each hierarchy's own folder bound into it, all read-only, so that
 * a container sees its limits and cannot change them. v2: the tree as the container's own namespace shows it, read-only,
 * or the host's own mount of it: a new one in the host's namespace would change the options of all (nsdelegate is lost).
 */
import { type CgroupLayout, folderNames, isPureV2 } from './cgroup-layout.ts';
import type { Fragment, Slots } from './fragment.ts';
import { MOUNT_ATTR, type MountOptions, MS } from './mount-options.ts';
import { type CgroupMounts, openBeneath } from './mounts.ts';
import { FLAG, type Operation, SLOT } from './program.ts';

const OWNER = 'exec/cgroup';
const CONFINED = MOUNT_ATTR.nosuid | MOUNT_ATTR.nodev | MOUNT_ATTR.noexec;

/** `hasNamespace`: whether the container has a cgroup namespace of its own. */
export function cgroupMounts(layout: CgroupLayout, cgroupsPath: string, hasNamespace: boolean): CgroupMounts {
  return (target, options, slots) => {
    if (!isPureV2(layout)) return folders(layout, cgroupsPath, target, options, slots);
    if (hasNamespace) return { before: [], after: [ownTree(target, options)] };
    return bound(layout.unified ?? '', target, options, slots.take());
  };
}

/** A folder of the host's cgroups, as a mount of the container's. */
function bound(path: string, target: string, options: MountOptions, slot: number): Fragment {
  const set = CONFINED | (options.set & MOUNT_ATTR.readonly);
  return {
    before: [{ op: 'clone_tree', owner: OWNER, slot, path, flags: 0 }],
    after: [
      { op: 'mount_setattr', owner: OWNER, slot, set, clear: 0n, propagation: MS.private, flags: 0 },
      { op: 'attach_beneath', owner: OWNER, slot, root: SLOT.rootfs, target, flags: FLAG.createDir },
    ],
  };
}

function ownTree(target: string, options: MountOptions): Operation {
  return {
    op: 'mount_beneath',
    owner: OWNER,
    root: SLOT.rootfs,
    fstype: 'cgroup2',
    source: 'cgroup',
    target,
    attributes: options.set,
    options: [],
    propagation: 0n,
    flags: FLAG.createDir,
  };
}

function folders(
  layout: CgroupLayout,
  cgroupsPath: string,
  target: string,
  options: MountOptions,
  slots: Slots,
): Fragment {
  const before: Operation[] = [];
  const after: Operation[] = [
    {
      op: 'mount_beneath',
      owner: OWNER,
      root: SLOT.rootfs,
      fstype: 'tmpfs',
      source: 'tmpfs',
      target,
      attributes: CONFINED,
      options: ['mode=755'],
      propagation: 0n,
      flags: FLAG.createDir,
    },
  ];
  for (const hierarchy of layout.v1) {
    const { folder, links } = folderNames(hierarchy);
    const one = bound(`${hierarchy.path}${cgroupsPath}`, `${target}/${folder}`, options, slots.take());
    before.push(...one.before);
    after.push(
      ...one.after,
      ...links.map(
        (name): Operation => ({
          op: 'symlink_beneath',
          owner: OWNER,
          root: SLOT.rootfs,
          path: `${target}/${name}`,
          target: folder,
          flags: 0,
        }),
      ),
    );
  }
  if ((options.set & MOUNT_ATTR.readonly) !== 0n) after.push(...closed(target, slots.take()));
  return { before, after };
}

/** The tmpfs had to be writable for its folders to be made. */
function closed(target: string, slot: number): Operation[] {
  return [
    openBeneath(slot, target),
    { op: 'mount_setattr', owner: OWNER, slot, set: MOUNT_ATTR.readonly, clear: 0n, propagation: 0n, flags: 0 },
  ];
}
