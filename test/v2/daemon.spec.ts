import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { buffer, json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { busyboxImage } from '../../scripts/busybox-image.ts';
import { dockerArchive } from '../../scripts/image-archive.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';

const isPureV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
const MEBIBYTE = 1024 * 1024;

describe('a daemon where cgroup v2 is all there is', function () {
  this.timeout(120_000);
  let daemon: TestDaemon;
  before(async function () {
    if (!isPureV2 || process.getuid?.() !== 0) return this.skip();
    daemon = await startGantryd();
    await buffer(await send('POST', '/images/load?quiet=1', await dockerArchive([await busyboxImage()])));
  });
  after(() => daemon?.[Symbol.asyncDispose]());

  function send(method: string, path: string, body?: Buffer | object) {
    const headers = { 'Content-Type': Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json' };
    const socketPath = daemon.host.slice('unix://'.length);
    return new Promise<NodeJS.ReadableStream>((resolve, reject) => {
      const sent = request({ socketPath, method, path, agent: false, headers }, resolve);
      sent.on('error', reject);
      sent.end(Buffer.isBuffer(body) || body === undefined ? body : JSON.stringify(body));
    });
  }
  const get = async (path: string): Promise<unknown> => json(await send('GET', path));

  async function started(Cmd: readonly string[], HostConfig: object): Promise<string> {
    const body = { Image: 'busybox', Cmd, HostConfig: { NetworkMode: 'none', ...HostConfig } };
    const made = await json(await send('POST', '/containers/create', body));
    const id = typeof made === 'object' && made !== null && 'Id' in made ? String(made.Id) : '';
    await buffer(await send('POST', `/containers/${id}/start`));
    return id;
  }

  it('says so, and warns of nothing that v2 cannot have', async () => {
    const info = await get('/info');
    expect(info).to.include({ CgroupVersion: '2', CgroupDriver: 'cgroupfs', MemoryLimit: true, SwapLimit: true });
    expect(info).to.include({ CpuCfsQuota: true, CPUSet: true, PidsLimit: true, OomKillDisable: false });
    expect(JSON.stringify(info)).not.to.match(/WARNING: No (oom|memory|swap|cpu|pids|io)/);
  });

  for (const Privileged of [false, true]) {
    it(`gives a ${Privileged ? 'privileged ' : ''}container a cgroup namespace of its own`, async () => {
      const id = await started(['sleep', '60'], { Privileged });
      const inspected = await get(`/containers/${id}/json`);
      expect(inspected).to.have.nested.property('HostConfig.CgroupnsMode', 'private');
      await buffer(await send('DELETE', `/containers/${id}?force=1`));
    });
  }

  it('puts the limits of docker run into the tree, and tells who went over them', async () => {
    const HostConfig = { Memory: 32 * MEBIBYTE, NanoCpus: 500_000_000, PidsLimit: 50, CpuShares: 2048 };
    const script = 'cd /sys/fs/cgroup; cat memory.max memory.swap.max cpu.max cpu.weight pids.max; tail /dev/zero';
    const id = await started(['sh', '-c', script], HostConfig);
    await buffer(await send('POST', `/containers/${id}/wait`));
    const logs = await buffer(await send('GET', `/containers/${id}/logs?stdout=1`));
    const words = logs.toString('latin1').match(/[0-9a-z ]+(?=\n)/g);
    expect(words).to.deep.equal([`${32 * MEBIBYTE}`, `${32 * MEBIBYTE}`, '50000 100000', '79', '50']);
    expect(await get(`/containers/${id}/json`)).to.have.nested.property('State.OOMKilled', true);
    await buffer(await send('DELETE', `/containers/${id}`));
  });

  it('pauses, and takes a container up again after a crash of its own', async () => {
    const id = await started(['sleep', '600'], {});
    await buffer(await send('POST', `/containers/${id}/pause`));
    expect(await readFile(`/sys/fs/cgroup${daemon.cgroupParent}/${id}/cgroup.events`, 'utf8')).to.include('frozen 1');
    await daemon.restart();
    expect(await get(`/containers/${id}/json`)).to.have.nested.property('State.Status', 'paused');
    await buffer(await send('POST', `/containers/${id}/unpause`));
    await buffer(await send('DELETE', `/containers/${id}?force=1`));
    const folder = `/sys/fs/cgroup${daemon.cgroupParent}/${id}`;
    for (let tries = 0; existsSync(folder) && tries < 500; tries++) await sleep(20);
    expect(existsSync(folder)).to.equal(false);
  });
});
