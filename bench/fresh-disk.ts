import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { execa } from 'execa';

/**
 * An ext4 of its own on a loop device, mounted: creating files right after many were deleted is slow on an old one, for
 * either engine, and would be measured instead. Without a journal, as the figures that we go by were taken.
 */
export async function freshDisk(
  folder: string,
  gigabytes: number,
): Promise<AsyncDisposable & { readonly path: string }> {
  const image = `${folder}/disk`;
  const path = `${folder}/m`;
  await mkdir(path);
  await writeFile(image, '');
  await truncate(image, gigabytes * 2 ** 30);
  await execa('mkfs.ext4', ['-q', '-O', '^has_journal', image]);
  await execa('mount', ['-o', 'loop', image, path]);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await execa('umount', ['-l', path]);
      await rm(image, { force: true });
    },
  };
}
