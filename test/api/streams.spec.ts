import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { FrameReader, STDOUT } from '../../api/streams.ts';
import { Api } from '../stand-ins/api.ts';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';

const MIB = 1024 * 1024;

describe("a container's streams over the API", function () {
  this.timeout(120_000);
  let folder: string;
  let daemon: TestDaemon;
  let api: Api;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'streams-'));
    const archive = await makeArchive(folder);
    daemon = await startGantryd();
    api = new Api(daemon.host);
    await buffer(await send('POST', '/images/load?quiet=1', 'application/x-tar', await readFile(archive)));
  });

  after(async () => {
    api?.close();
    await daemon?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  function send(method: string, path: string, type?: string, body?: Buffer | string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = type === undefined ? {} : { 'Content-Type': type };
      const socketPath = daemon.host.slice('unix://'.length);
      const sent = request({ method, path: `/v1.41${path}`, socketPath, headers, agent: false }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }

  async function run(script: string, extra: object = {}): Promise<string> {
    const id = await api.create('busybox', ['sh', '-c', script], 'none', extra);
    await api.start(id);
    return id;
  }

  const wait = (id: string) => api.call('POST', `/v1.41/containers/${id}/wait`);
  const logs = async (id: string, query = '') =>
    textOf(await buffer(await send('GET', `/containers/${id}/logs?stdout=1&stderr=1${query}`)));
  const count = (lines: number, pause: string) =>
    `i=0; while [ $i -lt ${lines} ]; do echo line $i; i=$((i+1)); [ $((i%50)) = 0 ] && ${pause}; done; true`;
  const counted = (lines: number) => Array.from({ length: lines }, (_, index) => `line ${index}\n`).join('');

  for (const Type of ['json-file', 'local']) {
    it(`are followed over rotations of a ${Type} log without a gap`, async () => {
      const id = await run(count(2000, 'usleep 10000'), {
        LogConfig: { Type, Config: { 'max-size': '20k', 'max-file': '3' } },
      });
      expect(await logs(id, '&follow=1')).to.equal(counted(2000));
      expect(await logs(id, '&tail=3')).to.equal('line 1997\nline 1998\nline 1999\n');
      await api.remove(id);
    });
  }

  it('lose no line while no daemon is there', async () => {
    const id = await run(count(1000, 'usleep 50000'));
    await daemon.restart();
    await wait(id);
    expect(await logs(id)).to.equal(counted(1000));
    await api.remove(id);
  });

  it('flow on beside a follower that does not read', async () => {
    const id = await run(
      `sleep 0.3; dd if=/dev/zero bs=1024 count=${20 * 1024} 2>/dev/null | tr "\\0" "x" | fold -w 99`,
    );
    const sleeper = await send('GET', `/containers/${id}/logs?stdout=1&follow=1`);
    sleeper.pause();
    expect((await logs(id, '&follow=1')).length).to.be.greaterThan(20 * MIB);
    expect(await wait(id)).to.deep.include({ StatusCode: 0 });
    sleeper.destroy();
    await api.remove(id);
  });

  it('of an exec end when its code is known', async () => {
    const id = await run('sleep 1000');
    for (const [script, output, code] of [
      ['echo out; echo err >&2; exit 7', 'out\nerr\n', 7],
      ['kill -9 $$', '', 137],
    ] as const) {
      const made = await api.call('POST', `/v1.41/containers/${id}/exec`, {
        AttachStdout: true,
        AttachStderr: true,
        Cmd: ['sh', '-c', script],
      });
      const exec = idOf(made);
      const stream = await buffer(await send('POST', `/exec/${exec}/start`, 'application/json', '{}'));
      expect([...textOf(stream)].sort().join('')).to.equal([...output].sort().join(''));
      expect(await api.call('GET', `/v1.41/exec/${exec}/json`)).to.include({ Running: false, ExitCode: code });
    }
    await api.remove(id);
  });

  it('are not all there is to see: top shows the processes', async () => {
    const id = await run('sleep 1000 & wait');
    const top = async () => commandsOf(await api.call('GET', `/v1.41/containers/${id}/top?ps_args=-o%20pid,user,args`));
    while (!(await top()).includes('sleep 1000')) await sleep(20);
    expect(await top()).to.deep.equal(['sh -c sleep 1000 & wait', 'sleep 1000']);
    await api.remove(id);
  });
});

function textOf(stream: Buffer): string {
  const frames = new FrameReader().push(stream);
  return frames.map(({ type, payload }) => (type >= STDOUT ? payload.toString() : '')).join('');
}

function idOf(made: unknown): string {
  if (typeof made !== 'object' || made === null || !('Id' in made)) throw new Error(`no id: ${JSON.stringify(made)}`);
  return String(made.Id);
}

function commandsOf(seen: unknown): string[] {
  if (typeof seen !== 'object' || seen === null || !('Processes' in seen) || !Array.isArray(seen.Processes)) return [];
  return seen.Processes.map((row: unknown) => (Array.isArray(row) ? String(row[2]) : '')).sort();
}
