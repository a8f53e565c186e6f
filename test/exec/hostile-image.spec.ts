import { existsSync } from 'node:fs';
import { lstat, mkdir, open, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { EngineError } from '../../api/errors.ts';
import { NativeExecDriver } from '../../drivers/exec/native.ts';
import { type Ended, ExecWorld, makeRootfs, type Wishes } from '../contract/exec-world.ts';
import { mount } from '../libcontainer/specs.ts';

/** An image, or what a container left of one for its next start, that wants something done outside of it. */
describe('NativeExecDriver, given a hostile rootfs', function () {
  this.timeout(30_000);
  const missing = process.getuid?.() !== 0 ? 'root' : existsSync('/bin/busybox') ? null : '/bin/busybox';
  if (missing !== null) {
    it.skip(`keeps to it (needs ${missing})`);
    return;
  }

  let world: ExecWorld;
  let rootfs: string;
  let canary: string;
  before(async () => {
    world = await ExecWorld.open((execRoot) => NativeExecDriver.open(execRoot));
  });
  beforeEach(async () => {
    rootfs = join(world.folder, 'hostile');
    canary = join(world.folder, 'canary');
    await makeRootfs(rootfs);
    await mkdir(canary);
  });
  afterEach(async () => {
    await world.clear();
    expect(await world.leftovers()).to.deep.equal([]);
    expect(await readdir(canary)).to.deep.equal([]);
    for (const folder of [rootfs, canary]) await rm(folder, { recursive: true });
  });
  after(() => world.close());

  /** Puts a link in the place of what the image has there. */
  async function link(path: string, target: string): Promise<void> {
    await rm(join(rootfs, path), { recursive: true, force: true });
    await symlink(target, join(rootfs, path));
  }

  /** How it went: the end of the process, or the words of the refusal. */
  async function attempt(args: readonly string[], wishes: Wishes = {}): Promise<Ended | string> {
    try {
      return await world.run(args, { rootfs, ...wishes });
    } catch (error) {
      if (error instanceof EngineError) return error.message;
      throw error;
    }
  }

  const output = (result: Ended | string): string => (typeof result === 'string' ? result : result.stdout);

  it('refuses a /proc that leads elsewhere', async () => {
    await link('proc', '/etc');
    expect(await attempt(['true'])).to.match(/must be mounted on ordinary directory/);
  });

  it('refuses a /sys that leads elsewhere', async () => {
    await link('sys', '/etc');
    expect(await attempt(['true'])).to.match(/must be mounted on ordinary directory/);
  });

  it('makes no devices outside, where /dev leads there', async () => {
    await link('dev', canary);
    await attempt(['true']);
    await link('dev', '../../../../../../..'.concat(canary));
    await attempt(['true']);
  });

  it('mounts nothing outside, where a target leads there', async () => {
    await link('data', canary);
    const spec: NonNullable<Wishes['spec']> = (base) => ({
      ...base,
      mounts: [
        ...base.mounts,
        mount('/data/deeper', 'tmpfs', 'tmpfs'),
        mount('/data/file', 'bind', '/etc/hostname', 'rbind'),
      ],
    });
    const result = await attempt(['sh', '-c', 'ls /data/'], { spec });
    expect(output(result)).to.match(/deeper|No such file|no such file/);
  });

  for (const [target, type] of [
    ['/data', 'bind'],
    ['/data/self', 'bind'],
    ['/data/sys/kernel', 'bind'],
    ['/data/self', 'tmpfs'],
  ] as const) {
    it(`mounts no ${type} over ${target}, where a link makes that a part of /proc`, async () => {
      await link('data', '/proc');
      const spec: NonNullable<Wishes['spec']> = (base) => ({
        ...base,
        mounts: [...base.mounts, type === 'bind' ? mount(target, type, canary, 'rbind') : mount(target, type, type)],
      });
      expect(await attempt(['true'], { spec })).to.match(/cannot be mounted because it is inside \/proc/);
    });
  }

  it('makes no working directory outside', async () => {
    await link('work', canary);
    await attempt(['true'], { process: { cwd: '/work/made' } });
  });

  for (const cwd of ['/proc/self/fd/0/..', '/proc/self/fd/3/../../..', '/proc/1/root/..', '/proc/self/cwd/../..']) {
    it(`does not follow ${cwd} out`, async () => {
      const result = await attempt(['sh', '-c', 'pwd; ls -d /proc /etc'], { process: { cwd } });
      if (typeof result === 'string') return;
      expect(result.stdout).to.match(/^\/[a-z0-9/]*\n\/etc\n\/proc\n$/);
    });
  }

  it('ends its executable search in the rootfs', async () => {
    await writeFile(join(canary, 'tool'), '#!/bin/sh\necho outside\n', { mode: 0o755 });
    await link('bin/tool', join(canary, 'tool'));
    expect(await attempt(['tool'])).to.match(/executable file not found/);
    await rm(join(canary, 'tool'));
  });

  const passwd = () => join(rootfs, 'etc/passwd');
  const asBob: Wishes = { user: 'bob' };

  it('is not held up by a passwd that is a FIFO', async () => {
    await rm(passwd());
    await execa('mkfifo', [passwd()]);
    expect(await attempt(['true'], asBob)).to.be.a('string');
  });

  it('lets a number in whatever became of passwd and group', async () => {
    await rm(passwd());
    await execa('mkfifo', [passwd()]);
    const ids = ['grep', '^Uid', '/proc/self/status'];
    expect(output(await attempt(ids, { user: '1000' }))).to.equal('Uid:\t1000\t1000\t1000\t1000\n');
    expect(output(await attempt(ids))).to.equal('Uid:\t0\t0\t0\t0\n');
  });

  it('is not led by a passwd that is a link to outside', async () => {
    await link('etc/passwd', '/proc/1/environ');
    expect(await attempt(['true'], asBob)).to.be.a('string');
  });

  it('does not read a passwd of any size', async () => {
    await truncate(passwd(), 5 * 1024 ** 3);
    expect(output(await attempt(['id', '-u'], asBob))).to.match(/^1000\n$|passwd/);
  });

  it('does not read a line of any length', async () => {
    const file = await open(passwd(), 'w');
    await file.write(`${'x'.repeat(20 * 1024 * 1024)}\nbob:x:1000:1000::/:/bin/sh\n`);
    await file.close();
    const result = await attempt(['id', '-u'], asBob);
    expect(output(result)).to.match(/^1000\n$|unable to find user|passwd/);
  });

  it('takes no number for another', async () => {
    const users = [
      '1',
      '0001',
      '+5',
      '0x1',
      ' 1',
      '1 ',
      '2147483648',
      '-1',
      '4294967295',
      '4294967296',
      '9'.repeat(400),
    ];
    await writeFile(passwd(), users.map((name) => `${name}:x:0:0::/:/bin/sh\n`).join(''));
    const outcomes = new Map<string, string>();
    for (const user of [...users, '1000:4294967296', '1:-1'])
      outcomes.set(user, output(await attempt(['id', '-u'], { user })));
    for (const [user, outcome] of outcomes)
      expect(outcome, user).to.match(/^[15]\n$|uids and gids must be|unable to find/);
  });

  it('reads no hosts of its own making', async () => {
    await link('etc/hosts', join(canary, 'hosts'));
    const spec: NonNullable<Wishes['spec']> = (base) => ({
      ...base,
      mounts: [...base.mounts, mount('/etc/hosts', 'bind', '/etc/hostname', 'rbind')],
    });
    await attempt(['true'], { spec });
    expect(await lstat(join(canary, 'hosts')).catch(() => null)).to.equal(null);
  });
});
