import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { busyboxImage, busyboxLayer } from '../../scripts/busybox-image.ts';
import { dockerArchive, tarOf } from '../../scripts/image-archive.ts';
import { Api } from '../stand-ins/api.ts';
import { removeCgroups, startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { type Census, censusAtRest, settledCensus } from './census.ts';

const V = '/v1.41';
const IS_SLOW = Number(process.env['GANTRY_KILLS'] ?? 0) >= 50;
const SLEEPER = ['sleep', '1000'];
const exec = promisify(execFile);

interface State {
  readonly Status: string;
  readonly ExitCode: number;
  readonly Pid: number;
}

describe('a daemon in a disaster', function () {
  this.timeout(120_000);
  let daemon: TestDaemon;
  let api: Api;
  let untouched: Census;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    daemon = await startGantryd();
    api = new Api(daemon.host);
    await api.load(await dockerArchive([await busyboxImage()]));
    await api.cycle();
    await sleep(500);
    await daemon.restart();
    untouched = await censusAtRest(daemon);
  });

  after(async () => {
    api?.close();
    await daemon?.[Symbol.asyncDispose]();
  });

  afterEach(async () => {
    if (api === undefined) return;
    const all = (await api.call('GET', `${V}/containers/json?all=1`)) as { Id: string }[];
    for (const { Id } of all) await api.remove(Id);
    expect(await settledCensus(daemon, untouched)).to.deep.equal(untouched);
  });

  const stateOf = async (id: string) =>
    ((await api.call('GET', `${V}/containers/${id}/json`)) as { State: State }).State;
  const running = async (host: object = {}, command: readonly string[] = SLEEPER) => {
    const id = await api.create('busybox', command, 'none', host);
    await api.start(id);
    return id;
  };
  const until = async (id: string, status: string) => {
    for (let tries = 0; (await stateOf(id)).Status !== status && tries < 200; tries++) await sleep(50);
    return stateOf(id);
  };

  /** Of the process that has `word` in its command line, such as a container's folder in the exec-root. */
  async function pidOf(word: string): Promise<number> {
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      if (command.includes(word)) return Number(entry);
    }
    return expect.fail(`no process has ${word}`);
  }

  it('settles a container whose monitor is killed, and can start it again', async () => {
    const id = await running();
    process.kill(await pidOf(join(daemon.execRoot, 'c', id.slice(0, 32))), 'SIGKILL');
    const { Status, ExitCode } = await until(id, 'exited');
    expect([Status, ExitCode]).to.deep.equal(['exited', 137]);
    await api.start(id);
    await api.exec(id, ['true']);
  });

  it('settles a paused container whose monitor is killed, and can start it again', async () => {
    const id = await running();
    await api.call('POST', `${V}/containers/${id}/pause`);
    process.kill(await pidOf(join(daemon.execRoot, 'c', id.slice(0, 32))), 'SIGKILL');
    expect((await until(id, 'exited')).Status).to.equal('exited');
    await api.start(id);
    await api.exec(id, ['true']);
  });

  it('settles a container whose monitor was killed while no daemon was there', async () => {
    const id = await running();
    await sleep(200);
    await daemon.kill();
    process.kill(await pidOf(join(daemon.execRoot, 'c', id.slice(0, 32))), 'SIGKILL');
    await daemon.start();
    expect((await until(id, 'exited')).Status).to.equal('exited');
    await api.start(id);
    await api.exec(id, ['true']);
  });

  it('goes on after a reboot: what ran has ended with 255, what is to be restarted runs', async () => {
    const [plain, always] = [await running(), await running({ RestartPolicy: { Name: 'always' } })];
    const stopped = await running({ RestartPolicy: { Name: 'unless-stopped' } });
    const temporary = await running({ AutoRemove: true });
    await api.call('POST', `${V}/containers/${stopped}/stop?t=0`);
    await sleep(200);
    await daemon.kill();
    for (const id of [plain, always, temporary]) {
      process.kill(await pidOf(join(daemon.execRoot, 'c', id.slice(0, 32))), 'SIGKILL');
    }
    await sleep(100);
    await rm(daemon.execRoot, { recursive: true });
    await removeCgroups(daemon.cgroupParent);
    await daemon.start();

    const { Status, ExitCode } = await stateOf(plain);
    expect([Status, ExitCode]).to.deep.equal(['exited', 255]);
    expect((await until(always, 'running')).Status).to.equal('running');
    expect((await stateOf(stopped)).Status).to.equal('exited');
    expect(await stateOf(temporary).catch((error: Error) => error.message)).to.contain('404');
    await api.start(plain);
  });

  it('leaves containers running when it is asked to end, and finds them when it comes back', async () => {
    const id = await running({}, ['sh', '-c', 'i=0; while :; do echo $i; i=$((i+1)); usleep 10000; done']);
    const { Pid } = await stateOf(id);
    process.kill(daemon.pid, 'SIGTERM');
    for (let tries = 0; tries < 400 && !(await hasEnded(daemon.pid)); tries++) await sleep(25);
    await sleep(300);
    await daemon.restart();
    expect(await stateOf(id)).to.include({ Status: 'running', Pid });
    await api.exec(id, ['true']);
    const log = (await api.bytes('GET', `${V}/containers/${id}/logs?stdout=1`)).toString('latin1');
    (log.match(/\d+(?=\n)/g) ?? []).forEach((line, index) => {
      expect(Number(line)).to.equal(index);
    });
  });

  async function hasEnded(pid: number): Promise<boolean> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return status === '' || /^State:\s+Z/m.test(status);
  }

  it('keeps a second daemon from its data root', async () => {
    const other = join(daemon.folder, 'other');
    const words = ['--data-root', daemon.dataRoot, '--exec-root', join(other, 'run'), '--pidfile', join(other, 'pid')];
    const ended = await exec(process.execPath, ['dist/bin/gantryd.js', ...words, '-H', `unix://${other}/sock`]).then(
      () => null,
      (error: { code: number; stderr: string }) => error,
    );
    expect(ended?.code).to.equal(1);
    expect(ended?.stderr).to.contain(`another gantryd uses the data root ${daemon.dataRoot}`);
    await running();
    await rm(other, { recursive: true, force: true });
  });

  const many = IS_SLOW ? 200 : 25;
  it(`takes over ${many} containers with restart=always, and starts them all when they are gone`, async function () {
    this.timeout(600_000);
    const ids: string[] = [];
    for (let index = 0; index < many; index++) ids.push(await running({ RestartPolicy: { Name: 'always' } }));
    const before = await Promise.all(ids.map((id) => stateOf(id).then(({ Pid }) => Pid)));
    await daemon.restart();
    expect(await Promise.all(ids.map((id) => stateOf(id).then(({ Pid }) => Pid)))).to.deep.equal(before);

    await daemon.kill();
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await daemon.start();
    for (const id of ids) expect((await until(id, 'running')).Status).to.equal('running');
    for (const id of ids) await api.remove(id);
  });

  const cycles = IS_SLOW ? 1000 : 60;
  it(`holds neither descriptors nor memory after ${cycles} lives`, async function () {
    this.timeout(cycles * 1000 + 60_000);
    const live = async () => {
      const id = await running();
      await api.exec(id, ['true']);
      await api.remove(id);
    };
    for (let index = 0; index < cycles / 4; index++) await live();
    const [descriptors, kilobytes] = await held(daemon.pid);
    for (let index = 0; index < cycles; index++) await live();
    const [descriptorsAfter, kilobytesAfter] = await held(daemon.pid);
    expect(descriptorsAfter - descriptors, 'more descriptors').to.be.below(20);
    expect(kilobytesAfter - kilobytes, 'more KiB of memory').to.be.below(40 * 1024);
  });

  async function held(pid: number): Promise<[descriptors: number, kilobytes: number]> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return [(await readdir(`/proc/${pid}/fd`)).length, Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1])];
  }
});

describe('a daemon on a full disk', function () {
  this.timeout(120_000);
  const folder = `/tmp/g-full-${process.pid}`;
  let isMounted = false;
  let daemon: TestDaemon | null = null;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    await mkdir(folder);
    await exec('truncate', ['-s', '48M', `${folder}.img`]);
    await exec('mkfs.ext4', ['-q', `${folder}.img`]);
    const mounted = await exec('mount', ['-o', 'loop', `${folder}.img`, folder]).catch(() => null);
    if (mounted === null) return this.skip();
    isMounted = true;
    daemon = await startGantryd([], folder);
  });

  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    if (isMounted) await exec('umount', [folder]);
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}.img`, { force: true });
  });

  it('says so, leaves nothing half made, and lives', async () => {
    if (daemon === null) return;
    const api = new Api(daemon.host);
    const busybox = await busyboxLayer();
    await api.load(await dockerArchive([await busyboxImage({}, busybox)]));
    await api.cycle();
    const chatty = await api.create('busybox', [
      'sh',
      '-c',
      'while :; do echo 0123456789012345678901234567890123456789; done',
    ]);
    await sleep(500);
    await daemon.restart();
    const before = await censusAtRest(daemon);

    const large = await tarOf([{ name: 'large', content: Buffer.alloc(24 * 1024 ** 2, 'x') }]);
    const archive = await dockerArchive([await busyboxImage({ tags: ['large:1'], layers: [large] }, busybox)]);
    const refusal = await said(api.load(archive));
    expect(refusal, refusal).to.match(/no space left on device/i);
    expect(await settledCensus(daemon, before)).to.deep.equal(before);

    await fill(join(folder, 'filler'));
    expect(await said(api.create('busybox', ['true']))).to.match(/: 500 .*no space left on device/i);
    expect(await settledCensus(daemon, before)).to.deep.equal(before);

    // A container that cannot be logged goes on, and can be ended.
    await rm(join(folder, 'filler'));
    await api.start(chatty);
    await sleep(1500);
    await fill(join(folder, 'filler')).catch(() => {});
    await sleep(500);
    await api.exec(chatty, ['true']);
    await rm(join(folder, 'filler'));
    await api.call('POST', `${V}/containers/${chatty}/kill`);
    await api.remove(chatty);
    await api.cycle();
    api.close();
  });

  async function said(asking: Promise<unknown>): Promise<string> {
    return asking.then(
      () => 'nothing went wrong',
      (error: unknown) => String(error),
    );
  }

  /** Until not one block is left. */
  async function fill(path: string): Promise<void> {
    for (const size of [1024 ** 2, 64 * 1024, 4096, 512]) {
      for (;;) {
        const isWritten = await writeFile(path, Buffer.alloc(size), { flag: 'a' }).then(
          () => true,
          () => false,
        );
        if (!isWritten) break;
      }
    }
  }
});
