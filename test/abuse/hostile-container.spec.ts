import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import { busyboxImage, busyboxLayer } from '../../scripts/busybox-image.ts';
import { dockerArchive, tarOf } from '../../scripts/image-archive.ts';
import { census } from '../chaos/census.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';

const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '/bin/busybox', 'sh', '-c'];

/** What an image or a container does to reach the host, through a daemon that serves it as it should. */
describe('a hostile container', function () {
  this.timeout(120_000);
  let daemon: TestDaemon;
  let canary: string;
  const docker = (...args: readonly string[]) =>
    execa('docker', ['-H', daemon.host, ...args], { reject: false, all: true, timeout: 60_000 });
  const shell = (container: string, script: string) => docker('exec', container, 'sh', '-c', script);

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    daemon = await startGantryd();
    canary = await mkdtemp('/tmp/canary-');
    const busybox = await busyboxLayer();
    const data = await tarOf([
      { name: 'data/', type: 'directory' },
      { name: 'data/id', mode: 0o4755, content: '#!/bin/sh\n' },
      { name: 'data/disk', type: 'block-device', devmajor: 8, devminor: 0, mode: 0o666 },
    ]);
    const Volumes = Object.fromEntries(Array.from({ length: 5000 }, (_, each) => [`/volume${each}`, {}]));
    const images = [
      await busyboxImage({ tags: ['busybox:latest'], layers: [data] }, busybox),
      await busyboxImage({ tags: ['volumes:latest'], config: { Volumes } }, busybox),
    ];
    const input = await dockerArchive(images);
    expect((await execa('docker', ['-H', daemon.host, 'load', '-q'], { input })).exitCode).to.equal(0);
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    if (canary !== undefined) await rm(canary, { recursive: true });
  });
  beforeEach(async () => {
    await mkdir(join(canary, 'etc'));
    await docker('run', '-d', '--name', 'evil', '--network', 'none', '-w', '/work', 'busybox', 'sleep', '1000');
  });
  afterEach(async () => {
    await docker('rm', '-fv', 'evil');
    expect(await readdir(canary)).to.deep.equal(['etc']);
    expect(await readdir(join(canary, 'etc'))).to.deep.equal([]);
    await rm(join(canary, 'etc'), { recursive: true });
    expect((await census(daemon)).mounts).to.deep.equal([]);
  });

  it('does not reach out by what it has made of its own rootfs before its next start', async () => {
    const made = `rm -rf /work /.dockerenv; for each in work .dockerenv; do ln -s ${canary} /$each; done;
      umount /etc/hosts /etc/hostname /etc/resolv.conf; mv /etc /gone; ln -s ${canary}/etc /etc; rmdir /dev /proc /sys`;
    await shell('evil', made);
    await docker('restart', '-t', '0', 'evil');
    await docker('start', 'evil');
  });

  for (const folder of ['dev', 'proc', 'sys', 'etc']) {
    it(`does not reach out by a link in place of /${folder}`, async () => {
      await docker('rm', '-f', 'evil');
      const powers = ['--cap-add', 'SYS_ADMIN', '--security-opt', 'seccomp=unconfined'];
      await docker('run', '-d', '--name', 'evil', '--network', 'none', ...powers, 'busybox', 'sleep', '1000');
      await shell('evil', `umount -l /${folder} /${folder}/*; rm -rf /${folder}; ln -s ${canary} /${folder}`);
      await docker('restart', '-t', '0', 'evil');
    });
  }

  it('lets root in again when it has spoiled its files of users', async () => {
    await shell('evil', 'rm /etc/passwd /etc/group; mkfifo /etc/passwd /etc/group');
    const ids = ['evil', 'grep', '^Uid', '/proc/self/status'];
    expect((await docker('exec', ...ids)).stdout).to.match(/^Uid:\t0\t/);
    expect((await docker('exec', '-u', '1000:1000', ...ids)).stdout).to.match(/^Uid:\t1000\t/);
    expect((await docker('exec', '-u', 'app', ...ids)).all).to.match(/unable to read \/etc\/passwd/);
  });

  it('does not follow a descriptor out of the container', async () => {
    for (let fd = 3; fd < 20; fd++) {
      const { exitCode, stdout } = await docker('exec', '-w', `/proc/self/fd/${fd}`, 'evil', 'pwd');
      expect(exitCode, stdout).to.equal(126);
    }
  });

  it('finds nothing to write to behind /proc/self/exe', async () => {
    await shell('evil', "printf '#!/proc/self/exe\\n' > /x; chmod 755 /x; ln -sf /proc/self/exe /y");
    for (const program of ['/x', '/y']) {
      expect((await docker('exec', 'evil', program)).all, program).to.match(/usage: gantry-init|permission denied/);
    }
    const { stdout } = await shell('evil', 'for i in 1 2 3; do (: > /proc/1/exe) 2>&1; done');
    expect(stdout).to.match(/Text file busy/);
  });

  it('does not keep the sizes of all from being told by folders without end', async () => {
    const layers = join(daemon.dataRoot, 'overlay2');
    await shell('evil', 'i=0; while [ $i -lt 1500 ]; do mkdir d; cd d; i=$((i+1)); done');
    const { exitCode, stdout } = await docker('ps', '-as', '--format', '{{.Names}} {{.Size}}');
    expect(exitCode, stdout).to.equal(0);
    expect(stdout).to.match(/^evil -1B \(virtual /);
    await docker('rm', '-fv', 'evil');
    const isRemoving = async () => (await readdir(layers)).some((name) => name.startsWith('.removing-'));
    for (let tries = 0; tries < 200 && (await isRemoving()); tries++) await sleep(50);
    expect(await isRemoving()).to.equal(false);
  });

  it('leaves other users of the host nothing in a volume', async () => {
    await docker('run', '--rm', '--network', 'none', '-v', 'known:/data', 'busybox', 'true');
    const data = join(daemon.dataRoot, 'volumes/known/_data');
    expect((await stat(join(data, 'id'))).mode & 0o7777).to.equal(0o4755);
    await chmod(daemon.folder, 0o711);
    const tried = await execa('setpriv', [...NOBODY, `ls ${data}; cat ${data}/id; : < ${data}/disk`], {
      all: true,
      reject: false,
    });
    await chmod(daemon.folder, 0o700);
    expect(tried.all.split('\n')).to.have.lengthOf(3);
    for (const line of tried.all.split('\n')) expect(line).to.match(/Permission denied/);
    await docker('volume', 'rm', 'known');
  });

  it('has no volumes made for it that it cannot have', async () => {
    const before = await readdir(join(daemon.dataRoot, 'volumes'));
    expect((await docker('create', '--network', 'none', 'volumes', 'true')).all).to.match(/too many mounts: 5000/);
    expect(await readdir(join(daemon.dataRoot, 'volumes'))).to.deep.equal(before);
  });

  it('that swaps folders of a volume for links does not lead the mounts of another out', async () => {
    await docker('rm', '-f', 'evil');
    const swap = `mkdir -p /s/t/u; ln -s ${canary} /s/link; while :; do mv /s/t /s/x; mv /s/link /s/t; mv /s/t /s/link; mv /s/x /s/t; done`;
    await docker('run', '-d', '--name', 'evil', '--network', 'none', '-v', 'shared:/s', 'busybox', 'sh', '-c', swap);
    await sleep(200);
    for (let round = 0; round < 10; round++) {
      const options = ['-v', 'shared:/s', '-v', '/etc/hostname:/s/t/file', '-v', 'other:/s/t/u/v', '--tmpfs', '/s/t/w'];
      await docker('run', '--rm', '--network', 'none', '-w', '/s/t/made', ...options, 'busybox', 'true');
    }
  });
});
