import type { ContainerRecord } from '../../api/container.ts';
import type { Daemon } from '../daemon.ts';

/** Bytes that a container holds by itself, and with the image below it. Walks the container's layer. */
export async function sizesOf(
  { Layer, Chain }: ContainerRecord,
  { layers }: Pick<Daemon, 'layers'>,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const SizeRw = await layers.readWriteSize(Layer);
  return { SizeRw, SizeRootFs: SizeRw + layers.sizeOf(Chain) };
}
