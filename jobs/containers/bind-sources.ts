/** Host folders and files that a container sees: `--mount` wants them to be there, `-v` makes a folder. */
import { mkdir, stat } from 'node:fs/promises';
import type { HostConfig } from '../../api/container.ts';
import { InvalidParameter, SystemFailure } from '../../api/errors.ts';
import type { ContainerRecord } from '../../state/container-record.ts';

/** Fails with InvalidParameter when a `--mount` names what is not there. */
export async function checkBindSources({ Mounts }: HostConfig): Promise<void> {
  const binds = (Mounts ?? []).filter(({ Type, BindOptions }) => Type === 'bind' && !BindOptions?.CreateMountpoint);
  await Promise.all(
    binds.map(async ({ Source }) => {
      if (await stat(Source).catch(() => null)) return;
      throw new InvalidParameter(`invalid mount config for type "bind": bind source path does not exist: ${Source}`);
    }),
  );
}

/** Before a start. Fails with InvalidParameter, or SystemFailure when a folder cannot be made. */
export async function makeBindSources({ MountPoints, HostConfig }: ContainerRecord): Promise<void> {
  await checkBindSources(HostConfig);
  await Promise.all(
    MountPoints.filter(({ Type }) => Type === 'bind').map(async ({ Source }) => {
      if (await stat(Source).catch(() => null)) return;
      await mkdir(Source, { recursive: true, mode: 0o755 }).catch((cause: unknown) => {
        throw new SystemFailure(`error while creating mount source path '${Source}': ${String(cause)}`, { cause });
      });
    }),
  );
}
