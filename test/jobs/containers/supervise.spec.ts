import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { SIGKILL } from '../../../api/signals.ts';
import { isToRestart, isToStartWithDaemon, nextDelay } from '../../../jobs/containers/restart-policy.ts';
import type { ContainerRecord } from '../../../state/container-record.ts';
import { SmallDaemon, type Wishes } from './small-daemon.ts';

const policy = (Name: string, MaximumRetryCount = 0, Cmd = ['sh', '-c', 'exit 3']): Wishes => ({
  Cmd,
  HostConfig: { RestartPolicy: { Name, MaximumRetryCount } },
});
const SLEEP = ['sleep', '1000'];

describe('supervisor', () => {
  let daemon: SmallDaemon;

  beforeEach(async () => {
    daemon = await SmallDaemon.make();
    await daemon.image('busybox');
  });
  afterEach(() => daemon[Symbol.asyncDispose]());

  async function run(name: string, wishes: Wishes): Promise<void> {
    await daemon.create(name, wishes);
    await daemon.start(name);
  }

  /** Until what is awaited is so; the runner's own limit is the only one. */
  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await sleep(10);
  }

  const deaths = (name: string) => daemon.actions(name).filter((action) => action === 'die').length;

  it('starts again what failed, as often as its policy says', async () => {
    await run('web', policy('on-failure', 2));
    await until(() => deaths('web') === 3 && daemon.status('web') === 'exited');
    expect(daemon.containers.get('web').RestartCount).to.equal(2);
    expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'die', 'start', 'die', 'start', 'die']);
  });

  it('leaves alone what ended well, on-failure', async () => {
    await run('web', policy('on-failure', 0, ['true']));
    await daemon.supervisor.settled(daemon.containers.get('web').ID);
    expect(daemon.status('web')).to.equal('exited');
  });

  it('lets what the user stopped rest', async () => {
    await run('web', policy('always', 0, SLEEP));
    await daemon.stop('web');
    expect(daemon.containers.get('web')).to.deep.include({ HasBeenManuallyStopped: true, RestartCount: 0 });
    expect(daemon.status('web')).to.equal('exited');
  });

  it('lets what the user killed rest', async () => {
    await run('web', policy('always', 0, SLEEP));
    await daemon.engine.run('kill', ['web'], {});
    expect(daemon.status('web')).to.equal('exited');
  });

  it('starts again what was killed by anybody else', async () => {
    await run('web', policy('unless-stopped', 0, SLEEP));
    daemon.supervisor.process(daemon.containers.get('web').ID)?.signal(SIGKILL);
    await until(() => daemon.status('web') === 'running' && deaths('web') === 1);
    expect(daemon.containers.get('web').RestartCount).to.equal(1);
  });

  it('stops, kills and removes what waits for its restart', async () => {
    for (const end of ['stop', 'kill', 'delete'] as const) {
      await run(end, policy('always'));
      await until(() => deaths(end) >= 2 && daemon.status(end) === 'restarting');
      if (end === 'stop') expect(await daemon.stop(end)).to.equal('stopped');
      else if (end === 'kill') await daemon.engine.run('kill', [end], {});
      else await daemon.remove(end, { force: true });
      const before = deaths(end);
      await sleep(500);
      expect(deaths(end)).to.equal(before);
      expect(daemon.containers.find(end)?.State.status).to.equal(end === 'delete' ? undefined : 'exited');
    }
  });

  it('says already running of what waits for its restart', async () => {
    await run('web', policy('always'));
    await until(() => daemon.status('web') === 'restarting');
    expect(await daemon.start('web')).to.equal('already running');
  });

  it('counts from nothing when the user starts it', async () => {
    await run('web', policy('on-failure', 1));
    await until(() => deaths('web') === 2 && daemon.status('web') === 'exited');
    await daemon.start('web');
    await until(() => deaths('web') === 4 && daemon.status('web') === 'exited');
  });

  it('removes what is started with --rm, with its volumes', async () => {
    await daemon.create('web', { Cmd: ['true'], Volumes: { '/a': {} }, HostConfig: { AutoRemove: true } });
    const gone = daemon.wait('web', 'removed');
    await daemon.start('web');
    await gone;
    expect(daemon.volumes.list()).to.deep.equal([]);
    await until(() => daemon.machine.processes.size === 0);
  });

  it('leaves nothing of an ended run behind', async () => {
    await run('web', { Cmd: ['true'] });
    await daemon.wait('web');
    await daemon.supervisor.tornDown(daemon.containers.get('web').ID);
    expect(daemon.machine.processes.size).to.equal(0);
  });

  describe('of the next daemon', () => {
    it('takes over what runs, and hears how it ends', async () => {
      await run('web', { Cmd: ['sh', '-c', 'read line; exit 5'], OpenStdin: true });
      const { ID } = daemon.containers.get('web');
      const next = await daemon.restarted();
      expect(next.status('web')).to.equal('running');
      next.supervisor.process(ID)?.signal(SIGKILL);
      expect((await next.wait('web')).StatusCode).to.equal(137);
      daemon = next;
    });

    it('learns of what ended while there was none', async () => {
      await run('web', { Cmd: ['sh', '-c', 'read line; exit 6'], OpenStdin: true });
      await run('gone', { Cmd: SLEEP, HostConfig: { AutoRemove: true } });
      await run('again', policy('always', 0, SLEEP));
      const processes = ['gone', 'again'].map((name) => daemon.machine.processes.get(daemon.containers.get(name).ID));
      const web = daemon.machine.processes.get(daemon.containers.get('web').ID);
      const attachment = await web?.attach({ stdin: true, stdout: false, stderr: false });
      daemon = await daemon.killed(async () => {
        attachment?.writeStdin(Buffer.from('\n'));
        for (const process of processes) process?.signal(SIGKILL);
        await Promise.all([web?.exited, ...processes.map((process) => process?.exited)]);
      });
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'exited', exitCode: 6 });
      expect(daemon.containers.find('gone')).to.equal(null);
      await until(() => daemon.status('again') === 'running');
    });

    it('knows the end of what its killed predecessor has told already', async () => {
      await run('web', policy('no'));
      expect((await daemon.wait('web')).StatusCode).to.equal(3);
      daemon = await daemon.killed();
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'exited', exitCode: 3 });
    });

    it('goes on with a restart that its killed predecessor was waiting for', async () => {
      await run('web', policy('always'));
      await until(() => deaths('web') === 3 && daemon.status('web') === 'restarting');
      await daemon.containers.sync(daemon.containers.get('web').ID);
      await daemon.supervisor.stop();
      daemon = await daemon.killed();
      await until(() => deaths('web') > 0);
      expect(daemon.containers.get('web').RestartCount).to.be.greaterThan(2);
    });

    it('lets rest what its killed predecessor was told to stop', async () => {
      await run('web', policy('unless-stopped', 0, SLEEP));
      await daemon.stop('web');
      daemon = await daemon.killed();
      await sleep(300);
      expect(daemon.status('web')).to.equal('exited');
    });

    it('knows that what ran on a machine that went down has ended', async () => {
      await run('web', { Cmd: SLEEP });
      await run('gone', { Cmd: SLEEP, HostConfig: { AutoRemove: true } });
      await run('again', policy('always', 0, SLEEP));
      await daemon.containers.sync(daemon.containers.get('web').ID);
      await daemon.containers.sync(daemon.containers.get('gone').ID);
      daemon = await daemon.killed(async () => {
        await daemon.machine[Symbol.asyncDispose]();
        daemon.machine.processes.clear();
      });
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'exited', exitCode: 255 });
      expect(daemon.containers.find('gone')).to.equal(null);
      await until(() => daemon.status('again') === 'running');
    });

    it('does not stand still for one whose removal it cannot carry through', async () => {
      const ended = { exitCode: 0, oomKilled: false, startedAt: '', finishedAt: '', error: '' };
      for (const name of ['first', 'stuck', 'last']) {
        await daemon.create(name, { HostConfig: { AutoRemove: true } });
        await daemon.containers.save({ ...daemon.containers.get(name), State: { status: 'exited', ...ended } });
      }
      await daemon.wedge('stuck');
      await daemon.supervisor.restore([]);
      expect(daemon.containers.list().map(({ Name }) => Name)).to.deep.equal(['stuck']);
      expect(daemon.status('stuck')).to.equal('dead');
    });

    it('starts `always` also when the user stopped it, `unless-stopped` not', async () => {
      await run('always', policy('always', 0, SLEEP));
      await run('unless', policy('unless-stopped', 0, SLEEP));
      await daemon.stop('always');
      await daemon.stop('unless');
      daemon = await daemon.restarted();
      await until(() => daemon.status('always') === 'running');
      expect(daemon.status('unless')).to.equal('exited');
    });
  });
});

describe('restart policy', () => {
  const record = (Name: string, count = 0, stopped = false, max = 0) =>
    ({
      HostConfig: { RestartPolicy: { Name, MaximumRetryCount: max } },
      RestartCount: count,
      HasBeenManuallyStopped: stopped,
    }) as unknown as ContainerRecord;
  const CASES: readonly [record: ContainerRecord, exitCode: number, restarts: boolean, startsWithDaemon: boolean][] = [
    [record('no'), 1, false, false],
    [record('always'), 0, true, true],
    [record('always', 0, true), 0, false, true],
    [record('unless-stopped'), 0, true, true],
    [record('unless-stopped', 0, true), 0, false, false],
    [record('on-failure'), 0, false, false],
    [record('on-failure'), 1, true, true],
    [record('on-failure', 2, false, 3), 1, true, true],
    [record('on-failure', 3, false, 3), 1, false, false],
  ];
  for (const [container, code, restarts, starts] of CASES) {
    it(`${JSON.stringify(container)} after ${code}: ${restarts}, with the daemon ${starts}`, () => {
      expect(isToRestart(container, code)).to.equal(restarts);
      expect(isToStartWithDaemon(container, code)).to.equal(starts);
    });
  }

  it('waits 100 ms, twice as long each time, a minute at most, and begins anew after 10 s of life', () => {
    const ran = (seconds: number) => ({
      exitCode: 1,
      oomKilled: false,
      error: '',
      startedAt: '2026-01-01T00:00:00Z',
      finishedAt: `2026-01-01T00:00:${String(seconds).padStart(2, '0')}Z`,
    });
    expect(nextDelay(ran(1), null)).to.equal(100);
    expect(nextDelay(ran(1), 100)).to.equal(200);
    expect(nextDelay(ran(1), 51_200)).to.equal(60_000);
    expect(nextDelay(ran(10), 51_200)).to.equal(100);
  });
});
