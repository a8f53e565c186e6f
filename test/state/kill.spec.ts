import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { imageID, sha256 } from '../../api/ids.ts';
import { parseReference } from '../../api/reference.ts';
import { Containers } from '../../state/containers.ts';
import { Images } from '../../state/images.ts';
import { References } from '../../state/references.ts';
import { Volumes } from '../../state/volumes.ts';

/** Acknowledged before a removal: it may or may not be there. */
const REMOVING = '-1';
const WRITER = fileURLToPath(new URL('./store-writer.js', import.meta.url));

describe('stores whose process is killed', () => {
  for (let round = 0; round < 12; round++) {
    it(`after ${round * 23} ms have all that was acknowledged and nothing by halves`, async () => {
      const folder = await mkdtemp('/tmp/g-');
      try {
        const writer = fork(WRITER, [folder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
        const acknowledged = new Map<string, string>();
        writer.on('message', (message: [key: string, value: string]) => acknowledged.set(...message));
        await once(writer, 'message');
        await sleep(round * 23);
        writer.kill('SIGKILL');
        await once(writer, 'exit');

        const containers = await Containers.open(join(folder, 'containers'));
        const images = await Images.open(join(folder, 'image'));
        const references = await References.open(join(folder, 'image/repositories.json'));
        const volumes = await Volumes.open(join(folder, 'volumes'), (parent, name) =>
          rm(join(parent, name), { recursive: true, force: true }),
        );
        expect([containers.damaged, images.damaged]).to.deep.equal([[], []]);
        for (const [key, value] of acknowledged) {
          const [kind = '', name = ''] = key.split(' ');
          if (kind === 'saved' && value !== REMOVING)
            expect(Number(containers.get(name).LogPath), key).to.be.at.least(Number(value));
          if (kind === 'removed') expect(containers.find(name), key).to.equal(null);
          if (kind === 'image') expect(images.get(imageID(sha256(name))), key).to.not.equal(null);
          if (kind === 'reference') expect(references.resolve(parseReference(name)), key).to.equal(value);
          if (kind === 'volume') expect(volumes.get(name), key).to.not.equal(null);
        }
        expect(acknowledged.size).to.be.above(0);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
