import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { CliSession } from '../cli/session.ts';
import { Api } from '../stand-ins/api.ts';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { type Census, census } from './census.ts';
import { Load } from './load.ts';

/** `GANTRY_KILLS=100 npm run test:slow` for the whole of it. */
const rounds = Number(process.env['GANTRY_KILLS'] ?? 5);

describe(`a daemon killed ${rounds} times under load`, function () {
  this.timeout(rounds * 20_000 + 60_000);
  let folder: string;
  let archive: string;
  let daemon: TestDaemon;
  let untouched: Census;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'chaos-'));
    archive = await makeArchive(folder);
    daemon = await startGantryd();
    await using session = await CliSession.open(daemon.host, archive);
    await session.sh('docker run --rm --net none busybox true');
    await daemon.restart();
    untouched = await census(daemon);
  });

  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('loses nothing that it acknowledged, and leaves nothing behind', async () => {
    const load = new Load(daemon.host, archive);
    for (let round = 0; round < rounds; round++) {
      const running = load.run();
      await sleep(50 + Math.random() * 1200);
      load.stop();
      await daemon.kill();
      await running;
      await daemon.start();
      await holds(load);
    }
    expect(load.refusals).to.deep.equal([]);
    await removeAll();
    expect(await settled()).to.deep.equal(untouched);
  });

  /** Every promise is kept; every container that runs has counted without a gap. */
  async function holds(load: Load): Promise<void> {
    const api = new Api(daemon.host);
    for (const [id, { state, maybe }] of load.promised) {
      const status = await statusOf(api, id);
      const fine = (maybe && state !== 'running') || fits(state, status) || (maybe && status === 'created');
      expect(fine, `${id}: ${maybe ? 'perhaps ' : ''}${state} was promised, it is ${status}`).to.equal(true);
      if (status === 'running' || status === 'exited') await countsWithoutGap(api, id);
      if (status === 'gone' || Math.random() < 0.5) {
        if (status !== 'gone') await api.remove(id);
        load.promised.delete(id);
      } else {
        load.promised.set(id, { state: fits('running', status) ? 'running' : state, maybe: state !== 'running' });
      }
    }
    api.close();
  }

  function fits(state: string, status: string): boolean {
    if (state === 'removed') return status === 'gone';
    if (state === 'stopped') return status === 'exited' || status === 'gone';
    return state === status;
  }

  async function statusOf(api: Api, id: string): Promise<string> {
    try {
      const { State } = (await api.call('GET', `/v1.41/containers/${id}/json`)) as { State: { Status: string } };
      return State.Status;
    } catch (error) {
      if (error instanceof Error && / 404 /.test(error.message)) return 'gone';
      throw error;
    }
  }

  async function countsWithoutGap(api: Api, id: string): Promise<void> {
    const raw = (await api.call('GET', `/v1.41/containers/${id}/logs?stdout=1`)) as string;
    const numbers = raw.match(/\d+(?=\n)/g) ?? [];
    numbers.forEach((text, index) => {
      expect(Number(text), `line ${index} of ${id}`).to.equal(index);
    });
  }

  async function removeAll(): Promise<void> {
    const api = new Api(daemon.host);
    const all = (await api.call('GET', '/v1.41/containers/json?all=1')) as { Id: string }[];
    for (const { Id } of all) await api.remove(Id);
    api.close();
  }

  /** Teardown goes on behind the answer: the census is taken until it stands as before, for ten seconds at most. */
  async function settled(): Promise<Census> {
    await daemon.restart();
    let now = await census(daemon);
    for (let tries = 0; tries < 50 && JSON.stringify(now) !== JSON.stringify(untouched); tries++) {
      await sleep(200);
      now = await census(daemon);
    }
    return now;
  }
});
