/** store-writer FOLDER — changes every store as fast as it can, and says after each change that it is done, until killed. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { containerConfig, hostConfig } from '../../api/container.ts';
import { imageID, newContainerID, newLayerID, sha256 } from '../../api/ids.ts';
import { parseReference } from '../../api/reference.ts';
import { Containers } from '../../state/containers.ts';
import { Images } from '../../state/images.ts';
import { References } from '../../state/references.ts';
import { Volumes } from '../../state/volumes.ts';

const folder = process.argv[2] ?? '';
const done = (key: string, value: string): void => void process.send?.([key, value]);

async function writeContainers(containers: Containers): Promise<never> {
  for (let round = 0; ; round++) {
    const id = newContainerID();
    const name = containers.reserveRandomName(id);
    await containers.makeFolder(id);
    const record = {
      ID: id,
      Name: name,
      Created: '2024-01-01T00:00:00Z',
      ImageID: imageID(sha256('x')),
      Config: containerConfig({}, 'Config'),
      HostConfig: hostConfig({}, 'HostConfig'),
      Path: 'sh',
      Args: [],
      Layer: newLayerID(),
      Chain: null,
      Driver: 'vfs',
      MountPoints: [],
      LogPath: '0',
      State: { status: 'created', exitCode: 0, error: '' },
      RestartCount: 0,
      HasBeenManuallyStopped: false,
    } as const;
    await containers.add(record);
    done(`saved ${id}`, '0');
    for (let turn = 1; turn < 4; turn++) {
      await containers.save({ ...record, LogPath: String(turn) }, turn % 2 === 0 ? 'synced' : 'written');
      done(`saved ${id}`, String(turn));
    }
    if (round % 2 === 0) continue;
    const gone = containers.remove(id);
    done(`saved ${id}`, '-1');
    await gone;
    done(`removed ${id}`, '');
  }
}

async function writeImages(images: Images, references: References): Promise<never> {
  for (let round = 0; ; round++) {
    const json = `{"rootfs":{"type":"layers","diff_ids":[]},"comment":"${round}"}`;
    const image = await images.add(Buffer.from(json));
    const name = `image${round % 5}:${round}`;
    await references.set(parseReference(name), image.id);
    done(`reference ${name}`, image.id);
  }
}

async function writeVolumes(volumes: Volumes): Promise<never> {
  for (let round = 0; ; round++) {
    const container = newContainerID();
    const { name } = await (round % 2 === 0 ? volumes.draft(container) : volumes.ensure(`named${round}`));
    await volumes.settle(container);
    if (round % 3 === 0) await volumes.remove(name);
    else done(`volume ${name}`, '');
  }
}

const remove = (parent: string, name: string) => rm(join(parent, name), { recursive: true, force: true });
const images = await Images.open(join(folder, 'image'));
await Promise.all([
  writeContainers(await Containers.open(join(folder, 'containers'))),
  writeImages(images, await References.open(join(folder, 'image/repositories.json'))),
  writeVolumes(await Volumes.open(join(folder, 'volumes'), remove)),
]);
