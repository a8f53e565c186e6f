import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { sha256 } from '../../api/ids.ts';
import { imageJSON, type TarEntry, tarOf } from '../../scripts/image-archive.ts';
import { CliSession } from '../cli/session.ts';
import { Api } from '../stand-ins/api.ts';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { END, paxHeader } from '../stand-ins/tar-forge.ts';
import { http, RawClient } from './raw-client.ts';

const upgrade = { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Type': 'application/json' };
/** Without its bound each of these holds an idle machine for a minute, or for ever; a busy one is given its time. */
const HELD_MS = 30_000;

describe('what could hold the daemon or fill its memory', function () {
  this.timeout(120_000);
  let folder: string;
  let daemon: TestDaemon;
  let api: Api;
  let container: string;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'abuse-'));
    daemon = await startGantryd();
    await using _images = await CliSession.open(daemon.host, await makeArchive(folder));
    api = new Api(daemon.host);
    container = await api.create('busybox', ['sleep', '1000']);
    await api.start(container);
  });
  after(async () => {
    api?.close();
    await daemon?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    expect(daemon.log()).to.not.match(/bug|unhandled|uncaught/i);
    expect(await memory(), 'MiB').to.be.lessThan(1024);
  });

  it('a pattern that backtracks is given up', async () => {
    const named = await api.create('busybox', ['true']);
    await api.call('POST', `/containers/${named}/rename?name=${'a'.repeat(60)}1`);
    const filters = encodeURIComponent(JSON.stringify({ name: ['^(a+)+$', '(a|a)*b'] }));
    const answer = await heldAtMost(http('GET', `/containers/json?all=1&filters=${filters}`));
    expect(answer.status).to.equal(400);
    expect(answer.body).to.match(/patterns take too long/);
    await api.remove(named);
  });

  it('a body in chunks of one byte costs what its bytes cost', async () => {
    const body = `${'1\r\n \r\n'.repeat(400_000)}0\r\n\r\n`;
    const headers = { ...upgrade, 'Transfer-Encoding': 'chunked' };
    const answer = await heldAtMost(`${http('POST', '/containers/create', '', headers)}${body}`);
    expect(answer.status).to.equal(400);
  });

  it('trailers have an end', async () => {
    const headers = { ...upgrade, 'Transfer-Encoding': 'chunked' };
    const body = `0\r\n${'a\r\n'.repeat(400_000)}\r\n`;
    const answer = await heldAtMost(`${http('POST', '/containers/create', '', headers)}${body}`);
    expect(answer.body).to.match(/malformed chunked body/);
  });

  it('a body whose sender has gone is no bug', async () => {
    for (const headers of [{}, upgrade]) {
      const client = new RawClient(daemon.host);
      const more = { ...headers, 'Content-Type': 'application/json', 'Content-Length': '500' };
      client.say(`${http('POST', '/containers/create', '', more)}{"Image":`);
      await sleep(100);
      client.socket.destroy();
    }
    expect(await ping(daemon.host)).to.equal(200);
    await sleep(100);
  });

  it('detach keys are few', async () => {
    const config = { Cmd: ['cat'], Tty: true, AttachStdin: true, DetachKeys: `${'a,'.repeat(300_000)}a` };
    const answer = await heldAtMost(http('POST', `/containers/${container}/exec`, JSON.stringify(config)));
    expect(answer.status).to.equal(400);
    expect(answer.body).to.match(/Invalid escape keys/);
  });

  it('arguments of ps are few', async () => {
    const body = JSON.stringify({ args: [container, `-o pid${' '.repeat(3e6)}`] });
    const answer = await heldAtMost(http('POST', '/jobs/top', body));
    expect(answer.body).to.match(/arguments of over/);
  });

  it('a seccomp profile of a million levels is none', async () => {
    const HostConfig = { NetworkMode: 'none', SecurityOpt: [`seccomp=${'['.repeat(3e6)}`] };
    const body = JSON.stringify({ Image: 'busybox', Cmd: ['true'], HostConfig });
    const answer = await heldAtMost(http('POST', '/containers/create', body));
    expect(answer.status).to.equal(400);
    expect(answer.body).to.match(/levels deep/);
  });

  const archives: readonly (readonly [what: string, entries: () => Promise<TarEntry[]>, says: RegExp])[] = [
    [
      'a manifest of a million levels',
      async () => [{ name: 'manifest.json', content: '['.repeat(4e6) }],
      /failed to decode manifest.json: more than 256 levels deep/,
    ],
    [
      'a config of a million levels',
      async () => [
        { name: 'c.json', content: `{"rootfs":${'{"a":'.repeat(7e5)}` },
        { name: 'manifest.json', content: '[{"Config":"c.json","Layers":[]}]' },
      ],
      /more than 256 levels deep/,
    ],
    ['an index that names an index 20,000 times, and that one another', nestedIndexes, /over \d+ bytes together/],
    ['a thousand images of one large config', async () => manyOfOne(), /over \d+ bytes together/],
    [
      'names that lead out',
      async () => [
        {
          name: 'manifest.json',
          content: JSON.stringify([{ Config: '../../../etc/passwd', Layers: ['/etc/shadow'] }]),
        },
      ],
      /invalid archive: open .*etc.passwd: no such file or directory/,
    ],
  ];
  for (const [what, entries, says] of archives) {
    it(`an archive with ${what} is refused`, async () => {
      const tar = await tarOf(await entries());
      const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': String(tar.length) };
      const client = new RawClient(daemon.host);
      client.say(http('POST', '/images/load?quiet=1', '', headers));
      client.say(tar);
      expect(await answeredMeanwhile(client.hears(/\r\n0\r\n\r\n$/, 60_000))).to.match(says);
      client.socket.destroy();
    });
  }

  it('an archive that is refused in the middle is refused with the reason', async () => {
    const tar = Buffer.concat([...Array.from({ length: 20_000 }, () => paxHeader({ a: 'b' })), END]);
    const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': String(tar.length) };
    const client = new RawClient(daemon.host);
    client.say(http('POST', '/images/create?fromSrc=-&repo=x', '', headers));
    client.say(tar);
    const heard = await client.hears(/\r\n\r\n[\s\S]*\}/, 60_000);
    expect(heard).to.match(/^HTTP\/1\.1 400 /);
    expect(heard).to.match(/too many extended headers before one entry/);
    client.socket.destroy();
  });

  it('whoever lets it listen elsewhere and leaves closes that, and nothing else', async () => {
    const path = join(daemon.folder, 'other');
    const client = new RawClient(daemon.host);
    client.say(http('POST', '/jobs/serve_api', JSON.stringify({ args: [`unix://${path}`] })));
    await eventually(async () => (await ping(`unix://${path}`)) === 200);
    expect((await stat(path)).mode & 0o777).to.equal(0o660);
    client.socket.destroy();
    await eventually(async () => (await stat(path).catch(() => null)) === null);
    expect(await ping(daemon.host)).to.equal(200);
  });

  it('jobs of the start can be run once more', async () => {
    for (const name of ['acceptconnections', 'init_networkdriver']) {
      expect((await RawClient.ask(daemon.host, http('POST', `/jobs/${name}`, '{}'))).status, name).to.equal(200);
    }
    const again = http('POST', '/jobs/serve_api', JSON.stringify({ args: [daemon.host] }));
    expect((await RawClient.ask(daemon.host, again)).status).to.equal(409);
    expect(await ping(daemon.host)).to.equal(200);
  });

  function heldAtMost(request: string): Promise<{ status: number; body: string }> {
    return answeredMeanwhile(RawClient.ask(daemon.host, request, 60_000));
  }

  /** What came of it; others are served all the while. */
  async function answeredMeanwhile<T>(answer: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    answer.then(over, over);
    let longest = 0;
    while (!isOver) {
      const begin = performance.now();
      expect(await ping(daemon.host)).to.equal(200);
      longest = Math.max(longest, performance.now() - begin);
      await sleep(10);
    }
    expect(longest, 'ms until an answer to somebody else').to.be.lessThan(HELD_MS);
    return answer;
  }

  async function ping(host: string): Promise<number> {
    return (await RawClient.ask(host, http('GET', '/_ping'), 60_000)).status;
  }

  async function memory(): Promise<number> {
    const text = await readFile(`/proc/${daemon.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
  }
});

/** Three levels: without a bound on all of it, eight million million documents. */
async function nestedIndexes(): Promise<TarEntry[]> {
  const blobs: Buffer[] = [];
  const reference = (mediaType: string, blob: Buffer) => ({ mediaType, digest: sha256(blob), size: blob.length });
  const manifest = reference('application/vnd.oci.image.manifest.v1+json', Buffer.from('{}'));
  let index = Buffer.from(JSON.stringify({ manifests: [manifest] }));
  for (let level = 0; level < 3; level++) {
    blobs.push(index);
    const one = reference('application/vnd.oci.image.index.v1+json', index);
    index = Buffer.from(JSON.stringify({ manifests: Array.from({ length: 20_000 }, () => one) }));
  }
  return [
    ...blobs.map((content) => ({ name: `blobs/sha256/${sha256(content).slice('sha256:'.length)}`, content })),
    { name: 'index.json', content: index },
  ];
}

async function manyOfOne(): Promise<TarEntry[]> {
  const layer = await tarOf([{ name: 'x', content: 'x' }]);
  const Labels = Object.fromEntries(Array.from({ length: 60_000 }, (_, each) => [`k${each}`, 'v'.repeat(40)]));
  const rows = Array.from({ length: 1000 }, () => ({ Config: 'c.json', RepoTags: null, Layers: ['l.tar'] }));
  return [
    { name: 'c.json', content: imageJSON({ layers: [layer], config: { Labels } }) },
    { name: 'l.tar', content: layer },
    { name: 'manifest.json', content: JSON.stringify(rows) },
  ];
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds().catch(() => false)) return;
    await sleep(50);
  }
  expect.fail('did not come');
}
