import type { MountPoint } from '../../state/container-record.ts';

/** A mount point whose volume is still to be found or made: `Name` as asked for, null for an anonymous one. */
export type MountRequest = Omit<MountPoint, 'Name'> & { readonly Name: string | null };
