import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { busyboxImage, busyboxLayer } from '../../scripts/busybox-image.ts';
import { dockerArchive, tarOf } from '../../scripts/image-archive.ts';
import { Api } from '../stand-ins/api.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { type Census, censusAtRest, settledCensus } from './census.ts';
import { CASES, type Case, World } from './cut-cases.ts';

const PLUGIN = fileURLToPath(new URL('./cut-plugin.js', import.meta.url));
/** Every cut in `npm run test:slow`, else a few a job, others each time. */
const IS_WHOLE = Number(process.env['GANTRY_KILLS'] ?? 0) >= 50;
const CUTS_A_CASE = 3;
/** What goes on behind an answer has begun to leave its traces by then. */
const AFTERMATH_MS = 300;
const MAX_STEPS = 400;

describe('a daemon killed at the nth step of a job', () => {
  let daemon: TestDaemon;
  let world: World;
  let untouched: Census;

  before(async function () {
    this.timeout(120_000);
    if (process.getuid?.() !== 0) return this.skip();
    daemon = await startGantryd(['--plugin', PLUGIN]);
    const busybox = await busyboxLayer();
    const more = await tarOf([{ name: 'more', content: 'more' }]);
    world = new World(
      daemon,
      await dockerArchive([
        await busyboxImage({ tags: ['fresh:1'], layers: [more] }, busybox),
        await busyboxImage({ tags: ['fresh:2'], layers: [more, more], config: { Cmd: ['true'] } }, busybox),
      ]),
    );
    const api = new Api(daemon.host);
    await api.load(await dockerArchive([await busyboxImage({}, busybox)]));
    await api.cycle();
    await api.call('POST', '/v1.41/images/busybox/tag?repo=gone&tag=1');
    await api.call('DELETE', '/v1.41/images/gone:1');
    api.close();
  });

  beforeEach(async function () {
    this.timeout(60_000);
    await daemon.restart();
    world.reconnect();
    await world.removeAll();
    untouched = await censusAtRest(daemon);
  });

  after(async function () {
    this.timeout(60_000);
    await daemon?.[Symbol.asyncDispose]();
  });

  for (const each of CASES) {
    it(`${each.name}: either is done or is not, and goes on from there`, async function () {
      this.timeout(30 * 60_000);
      const steps = await count(each);
      expect(steps, 'steps of the job').to.be.within(1, MAX_STEPS);
      for (const nth of chosen(steps)) await cut(each, nth);
    });
  }

  /** How many steps there are when nobody cuts it short. */
  async function count(each: Case): Promise<number> {
    const subject = await each.prepare(world);
    await world.cut(each.job, 0);
    await each.ask(world, subject);
    await sleep(AFTERMATH_MS);
    const steps = await world.cut('', 0);
    await each.check(world, subject, true);
    await restored(`${each.name}, whole`);
    return steps;
  }

  async function cut(each: Case, nth: number): Promise<void> {
    const subject = await each.prepare(world);
    await world.cut(each.job, nth);
    const isAcknowledged = await each.ask(world, subject).then(
      () => true,
      (error: unknown) => {
        if (/: \d{3} /.test(String(error))) throw error;
        return false;
      },
    );
    await sleep(isAcknowledged ? AFTERMATH_MS : 0);
    await daemon.restart();
    world.reconnect();
    try {
      await each.check(world, subject, isAcknowledged);
      await restored(`${each.name}, cut at ${nth}`);
    } catch (error) {
      if (error instanceof Error)
        error.message = `cut at step ${nth}, ${isAcknowledged ? '' : 'not '}acknowledged: ${error.message}`;
      throw error;
    }
  }

  async function restored(when: string): Promise<void> {
    await world.removeAll();
    expect(await settledCensus(daemon, untouched), when).to.deep.equal(untouched);
  }
});

function chosen(steps: number): number[] {
  const all = Array.from({ length: steps }, (_, index) => index + 1);
  if (IS_WHOLE) return all;
  return all
    .map((nth) => ({ nth, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, CUTS_A_CASE)
    .map(({ nth }) => nth);
}
