import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { busyboxImage } from '../../scripts/busybox-image.ts';
import { dockerArchive } from '../../scripts/image-archive.ts';
import { Api } from '../stand-ins/api.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { type Census, censusAtRest, settledCensus } from './census.ts';
import { Load } from './load.ts';
import { Model } from './model.ts';
import { Promises } from './promises.ts';
import { Random } from './random.ts';

/** `npm run test:slow` for a hundred. */
const rounds = Number(process.env['GANTRY_KILLS'] ?? 5);
/** What came out of a seed comes again but for the machine's own timing. */
const seed = Number(process.env['GANTRY_SEED'] ?? Date.now() % 1_000_000);

describe(`a daemon killed ${rounds} times under load (seed ${seed})`, function () {
  this.timeout(rounds * 30_000 + 60_000);
  let daemon: TestDaemon;
  let untouched: Census;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    daemon = await startGantryd();
    const api = new Api(daemon.host);
    await api.load(await dockerArchive([await busyboxImage()]));
    await api.call('POST', '/v1.41/images/busybox/tag?repo=gone&tag=1');
    await api.call('DELETE', '/v1.41/images/gone:1');
    await api.cycle();
    api.close();
    await daemon.restart();
    untouched = await censusAtRest(daemon);
  });

  after(() => daemon?.[Symbol.asyncDispose]());

  it('loses nothing that it acknowledged, and leaves nothing behind', async () => {
    const random = new Random(seed);
    const model = new Model();
    const load = new Load(daemon.host, model, random);
    for (let round = 1; round <= rounds; round++) {
      const running = load.run();
      await sleep(50 + random.next() * 1200);
      await daemon.kill();
      load.stop();
      await running;
      await daemon.start();
      try {
        await new Promises(new Api(daemon.host), model, random).hold();
        expect(load.refusals).to.deep.equal([]);
      } catch (error) {
        if (error instanceof Error) error.message = `seed ${seed}, round ${round}: ${error.message}`;
        throw error;
      }
    }
    process.stdout.write(`      ${model.acknowledged} operations were acknowledged\n`);
    await removeAll();
    await daemon.restart();
    expect(await settledCensus(daemon, untouched)).to.deep.equal(untouched);
  });

  async function removeAll(): Promise<void> {
    const api = new Api(daemon.host);
    const containers = (await api.call('GET', '/v1.41/containers/json?all=1')) as { Id: string }[];
    for (const { Id } of containers) await api.call('DELETE', `/v1.41/containers/${Id}?force=1&v=1`);
    const images = (await api.call('GET', '/v1.41/images/json')) as { RepoTags: string[] }[];
    for (const tag of images.flatMap(({ RepoTags }) => RepoTags)) {
      if (tag !== 'busybox:latest') await api.call('DELETE', `/v1.41/images/${tag}`);
    }
    api.close();
  }
});
