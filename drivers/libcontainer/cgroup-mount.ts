/**
 * A container's view of its cgroups. v1: a tmpfs with each hierarchy's own folder bound into it, all read-only, so that
 * a container sees its limits and cannot change them. v2: the tree itself, read-only, as the private namespace shows it.
 */
import { type CgroupLayout, folderNames, isPureV2 } from './cgroup-layout.ts';
import type { Fragment, Slots } from './fragment.ts';
import { MOUNT_ATTR, type MountOptions, MS } from './mount-options.ts';
import { openBeneath } from './mounts.ts';
import { FLAG, type Operation, SLOT } from './program.ts';

const OWNER = 'exec/cgroup';
const CONFINED = MOUNT_ATTR.nosuid | MOUNT_ATTR.nodev | MOUNT_ATTR.noexec;

/** Mounts a container's cgroups on a folder of its rootfs. */
export type CgroupMounts = (target: string, options: MountOptions, slots: Slots) => Fragment;

export function cgroupMounts(layout: CgroupLayout, cgroupsPath: string): CgroupMounts {
  return (target, options, slots) => {
    if (isPureV2(layout)) return { before: [], after: [tree(target, options)] };
    return folders(layout, cgroupsPath, target, options, slots);
  };
}

function tree(target: string, options: MountOptions): Operation {
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
  const readonly = options.set & MOUNT_ATTR.readonly;
  for (const hierarchy of layout.v1) {
    const { folder, links } = folderNames(hierarchy);
    const slot = slots.take();
    before.push({ op: 'clone_tree', owner: OWNER, slot, path: `${hierarchy.path}${cgroupsPath}`, flags: 0 });
    after.push(
      {
        op: 'mount_setattr',
        owner: OWNER,
        slot,
        set: CONFINED | readonly,
        clear: 0n,
        propagation: MS.private,
        flags: 0,
      },
      {
        op: 'attach_beneath',
        owner: OWNER,
        slot,
        root: SLOT.rootfs,
        target: `${target}/${folder}`,
        flags: FLAG.createDir,
      },
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
  if (readonly !== 0n) after.push(...closed(target, slots.take()));
  return { before, after };
}

/** The tmpfs had to be writable for its folders to be made. */
function closed(target: string, slot: number): Operation[] {
  return [
    openBeneath(slot, target),
    { op: 'mount_setattr', owner: OWNER, slot, set: MOUNT_ATTR.readonly, clear: 0n, propagation: 0n, flags: 0 },
  ];
}
