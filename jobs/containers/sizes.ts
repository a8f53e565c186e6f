import createDebug from 'debug';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon } from '../daemon.ts';

const warn = createDebug('gantry:warn:sizes');
/** As dockerd has it: one container's tree that cannot be walked is no reason to tell nothing of all others. */
const UNKNOWN_SIZE = -1;

/** Bytes that a container holds by itself, -1 where that cannot be told, and with the image below it. Walks its layer. */
export async function sizesOf(
  { ID, Layer, Chain }: ContainerRecord,
  { layers }: Pick<Daemon, 'layers'>,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const SizeRw = await layers.readWriteSize(Layer).catch((error: unknown) => {
    warn('the size of %s cannot be told: %O', ID, error);
    return UNKNOWN_SIZE;
  });
  return { SizeRw, SizeRootFs: Math.max(SizeRw, 0) + layers.sizeOf(Chain) };
}
