import type { OciProcess } from '../../api/oci.ts';
import { type Operation, SLOT } from './program.ts';

/** Rows and columns, or null for the kernel's own. */
export type ConsoleSize = readonly [height: number, width: number] | null;

/** A terminal for a process that wants one, once the root's devpts is there. */
export function terminalOperations({ terminal }: OciProcess, size: ConsoleSize): Operation[] {
  if (!terminal) return [];
  const [height, width] = size ?? [0, 0];
  return [{ op: 'console', owner: 'exec', root: SLOT.rootfs, height, width }];
}
