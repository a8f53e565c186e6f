import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { CliSession } from '../cli/session.ts';
import { Api } from '../stand-ins/api.ts';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { http, RawClient } from './raw-client.ts';

const upgrade = { Connection: 'Upgrade', Upgrade: 'tcp' };
const webSocket = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

describe('clients that do not behave', function () {
  this.timeout(120_000);
  let folder: string;
  let archive: string;
  let daemon: TestDaemon;
  let api: Api;
  let container: string;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'abuse-'));
    archive = await makeArchive(folder);
    daemon = await startGantryd();
    await using _images = await CliSession.open(daemon.host, archive);
    api = new Api(daemon.host);
    container = await api.create('busybox', ['sh', '-c', 'while :; do echo tick; usleep 50000; done']);
    await api.start(container);
  });
  after(async () => {
    api?.close();
    await daemon?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('2,000 requests at once are all answered', async () => {
    const paths = [
      '/_ping',
      '/version',
      '/containers/json?all=1',
      `/containers/${container}/json`,
      '/images/json',
      '/info',
    ];
    const asked = Array.from({ length: 2000 }, (_, index) =>
      RawClient.ask(daemon.host, http('GET', paths[index % paths.length] ?? '/_ping'), 60_000),
    );
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
  });

  it('500 creates at once of one name make one container', async () => {
    const body = JSON.stringify({ Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none' } });
    const asked = Array.from({ length: 500 }, () =>
      RawClient.ask(daemon.host, http('POST', '/containers/create?name=just-one', body), 60_000),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).to.have.lengthOf(1);
    expect(statuses.filter((status) => status === 409)).to.have.lengthOf(499);
    await api.remove('just-one');
  });

  const half: readonly (readonly [name: string, begin: () => Promise<RawClient>])[] = [
    [
      'attach',
      async () => begun(http('POST', `/containers/${container}/attach?stream=1&stdout=1&stdin=1`, '', upgrade), /tick/),
    ],
    [
      'attach over a WebSocket',
      async () =>
        begun(http('GET', `/containers/${container}/attach/ws?stream=1&stdout=1`, '', webSocket), /Accept[\s\S]*tick/),
    ],
    ['logs -f', async () => begun(http('GET', `/containers/${container}/logs?stdout=1&follow=1`), /tick/)],
    ['events', async () => begun(http('GET', '/events'), /\r\n\r\n/)],
    ['wait', async () => begun(http('POST', `/containers/${container}/wait`), /\r\n\r\n/)],
    [
      'exec',
      async () => {
        const config = JSON.stringify({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
        // On a connection that is closed behind it: those that `api` keeps for later are descriptors too.
        const made = await RawClient.ask(daemon.host, http('POST', `/containers/${container}/exec`, config));
        const { Id } = JSON.parse(made.body) as { Id: string };
        return begun(http('POST', `/exec/${Id}/start`, '{"Detach":false}', upgrade), /\r\n\r\n/);
      },
    ],
    [
      'load',
      async () =>
        sent(`${http('POST', '/images/load', '', { 'Transfer-Encoding': 'chunked' })}10\r\n0123456789abcdef\r\n`),
    ],
    [
      'create',
      async () =>
        sent(
          'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"Im',
        ),
    ],
    ['half a header', async () => sent('GET /_ping HTT')],
    ['nothing at all', async () => sent('')],
  ];

  for (const [name, begin] of half) {
    it(`50 that vanish in the middle of ${name} cost nothing`, async () => {
      const before = await descriptors();
      const clients = await Promise.all(Array.from({ length: 50 }, begin));
      for (const client of clients) client.socket.destroy();
      await eventually(async () => (await descriptors()) <= before + 2);
      expect(await state()).to.equal('running');
    });
  }

  it('a reader that never reads holds nobody', async () => {
    const asleep = new RawClient(daemon.host);
    asleep.say(http('POST', `/containers/${container}/attach?stream=1&stdout=1`, '', upgrade));
    asleep.socket.pause();
    const awake = await begun(
      http('POST', `/containers/${container}/attach?stream=1&stdout=1`, '', upgrade),
      /tick[\s\S]*tick/,
    );
    awake.socket.destroy();
    asleep.socket.destroy();
  });

  it('WebSockets that vanish under a flood, or say what is no frame, cost nothing', async () => {
    const before = await descriptors();
    const flood = await api.create('busybox', ['yes', 'x'.repeat(1000)]);
    await api.start(flood);
    const request = http('GET', `/containers/${flood}/attach/ws?stream=1&stdout=1`, '', webSocket);
    const clients = await Promise.all(Array.from({ length: 10 }, () => begun(request, /Accept[\s\S]*xxx/)));
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) client.socket.destroy();
      else client.say(Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
    }
    await sleep(200);
    for (const client of clients) client.socket.destroy();
    await api.remove(flood);
    await eventually(async () => (await descriptors()) <= before + 2);
    expect(daemon.log()).to.not.match(/unhandled|uncaught/i);
  });

  it('memory comes back after all of it', async () => {
    const text = await readFile(`/proc/${daemon.pid}/status`, 'utf8');
    expect(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024).to.be.lessThan(300);
    expect(daemon.log()).to.not.match(/unhandled|uncaught/i);
  });

  async function begun(request: string, until: RegExp): Promise<RawClient> {
    const client = sent(request);
    await client.hears(until);
    return client;
  }

  function sent(bytes: string): RawClient {
    const client = new RawClient(daemon.host);
    client.say(bytes);
    return client;
  }

  async function descriptors(): Promise<number> {
    return (await readdir(`/proc/${daemon.pid}/fd`)).length;
  }

  async function state(): Promise<string> {
    const { State } = (await api.call('GET', `/containers/${container}/json`)) as { State: { Status: string } };
    return State.Status;
  }

  async function eventually(holds: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (await holds()) return;
      await sleep(100);
    }
    expect.fail(`still ${await descriptors()} descriptors`);
  }
});
