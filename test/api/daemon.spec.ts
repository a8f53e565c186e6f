import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { FrameReader } from '../../api/streams.ts';
import { listenUnix } from '../../drivers/libcontainer/kernel/sockets.ts';
import { http, RawClient } from '../abuse/raw-client.ts';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';

const run = promisify(execFile);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

describe('the API of a real daemon', function () {
  this.timeout(60_000);
  let daemon: TestDaemon;
  let folder: string;

  const call = (method: string, path: string, body?: object | string): Promise<Answer> =>
    ask(daemon, method, path, body);
  const json = async (method: string, path: string, body?: object) => JSON.parse((await call(method, path, body)).text);
  const create = async (command: readonly string[], extra: object = {}): Promise<string> => {
    const HostConfig = { NetworkMode: 'none' };
    return (await json('POST', '/containers/create', { Image: 'busybox', Cmd: command, HostConfig, ...extra })).Id;
  };

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp('/tmp/g-');
    daemon = await startGantryd();
    const archive = await makeArchive(folder);
    const loaded = await upload(daemon, '/images/load?quiet=1', archive);
    expect(loaded.text).to.include('Loaded image: busybox:latest');
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('answers a ping with what clients negotiate by', async () => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, text } = await call(method, '/_ping');
      expect(status).to.equal(200);
      expect(text).to.equal(method === 'GET' ? 'OK' : '');
      expect(headers).to.include({ 'api-version': '1.50', ostype: 'linux', swarm: 'inactive', pragma: 'no-cache' });
    }
  });

  it('tells its version and what it runs on', async () => {
    expect(await json('GET', '/version')).to.include({ ApiVersion: '1.50', MinAPIVersion: '1.24', Os: 'linux' });
    const info = await json('GET', '/info');
    expect(info).to.include({ OSType: 'linux', DockerRootDir: daemon.dataRoot, LiveRestoreEnabled: true, Images: 3 });
    expect(info.Swarm.LocalNodeState).to.equal('inactive');
    expect(info.NCPU).to.be.greaterThan(0);
  });

  it('lets a client attach, wait and start, and miss nothing', async () => {
    const id = await create(['sh', '-c', 'echo out; echo err >&2; cat; exit 7'], { OpenStdin: true, StdinOnce: true });
    const attached = new RawClient(daemon.host);
    const upgrade = { Connection: 'Upgrade', Upgrade: 'tcp' };
    attached.say(http('POST', `/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`, '', upgrade));
    await attached.hears(/\r\n\r\n/);
    const waiting = new RawClient(daemon.host);
    waiting.say(http('POST', `/v1.44/containers/${id}/wait?condition=next-exit`));
    await waiting.hears(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n/);
    expect(waiting.heard).to.not.include('StatusCode');

    expect((await call('POST', `/containers/${id}/start`)).status).to.equal(204);
    expect((await call('POST', `/containers/${id}/start`)).status).to.equal(304);
    attached.say('hello');
    attached.socket.end();
    await waiting.hears(/\{"StatusCode":7\}/);
    await attached.hears(/hello$/);
    const [head = '', body = ''] = attached.heard.split(/\r\n\r\n(.*)/s);
    expect(head).to.include('HTTP/1.1 101 UPGRADED').and.include('multiplexed-stream');
    const frames = new FrameReader().push(Buffer.from(body, 'latin1'));
    const said = (type: number) =>
      frames.filter((frame) => frame.type === type).map(({ payload }) => payload.toString());
    expect(said(1).join('')).to.equal('out\nhello');
    expect(said(2).join('')).to.equal('err\n');
    expect((await call('DELETE', `/containers/${id}`)).status).to.equal(204);
    attached.socket.destroy();
    waiting.socket.destroy();
  });

  it('carries a container over a WebSocket', async () => {
    const id = await create(['sh', '-c', 'read line; echo "got $line"'], { OpenStdin: true, Tty: false });
    await call('POST', `/containers/${id}/start`);
    const path = `/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1`;
    const socket = new WebSocket(`ws+unix:${daemon.host.slice('unix://'.length)}:${path}`);
    await once(socket, 'open');
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => heard.push(data.toString()));
    socket.send('words\n');
    await once(socket, 'close');
    expect(heard.join('')).to.equal('got words\n');
    await call('DELETE', `/containers/${id}?force=1`);
  });

  it('keeps a terminal raw', async () => {
    const id = await create(['sh', '-c', 'test -t 1 && echo terminal'], { Tty: true, AttachStdout: true });
    await call('POST', `/containers/${id}/start`);
    await call('POST', `/containers/${id}/wait`);
    const { headers, text } = await call('GET', `/containers/${id}/logs?stdout=1`);
    expect(headers['content-type']).to.equal('application/vnd.docker.raw-stream');
    expect(text).to.equal('terminal\r\n');
    await call('DELETE', `/containers/${id}`);
  });

  it('says multiplexed to those who know the word', async () => {
    const id = await create(['echo', 'one']);
    await call('POST', `/containers/${id}/start`);
    await call('POST', `/containers/${id}/wait`);
    const type = async (version: string) =>
      (await call('GET', `/${version}/containers/${id}/logs?stdout=1`)).headers['content-type'];
    expect(await type('v1.41')).to.equal('application/vnd.docker.raw-stream');
    expect(await type('v1.42')).to.equal('application/vnd.docker.multiplexed-stream');
    await call('DELETE', `/containers/${id}`);
  });

  it('tells events as they happen, past ones by their time, and all fields of them', async () => {
    const since = String(Date.now() / 1000 - 0.001);
    const filters = encodeURIComponent(
      JSON.stringify({ type: ['container'], event: { create: true, destroy: true }, label: ['who=me'] }),
    );
    const watching = new RawClient(daemon.host);
    watching.say(http('GET', `/events?filters=${filters}`));
    await watching.hears(/\r\n\r\n/);
    const id = await create(['true'], { Labels: { who: 'me' } });
    await call('POST', `/containers/${id}/start`);
    await call('POST', `/containers/${id}/wait`);
    await call('DELETE', `/containers/${id}`);
    await watching.hears(/"destroy"/);
    watching.socket.destroy();
    expect(watching.heard).to.not.include('"start"');

    const past = await call('GET', `/events?since=${since}&until=${Date.now() / 1000 + 0.01}&filters=${filters}`);
    const lines = past.text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).Action)).to.deep.equal(['create', 'destroy']);
    const [first = ''] = lines;
    expect(first).to.match(
      /^\{"status":"create","id":"[0-9a-f]{64}","from":"busybox","Type":"container","Action":"create"/,
    );
    expect(first).to.match(/"scope":"local","time":\d{10},"timeNano":\d{19}\}$/);
    expect(JSON.parse(first).Actor.Attributes).to.include({ who: 'me', image: 'busybox' });
  });

  it('refuses events that end before they begin', async () => {
    const { status, text } = await call('GET', '/events?since=20&until=10');
    expect(status).to.equal(400);
    expect(JSON.parse(text).message).to.equal('`since` time (20) cannot be after `until` time (10)');
  });

  it('answers what is not there yet, each by its name', async () => {
    for (const [method, path, what] of [
      ['POST', '/build', 'docker build'],
      ['GET', '/system/df', 'docker system df'],
      ['POST', '/networks/create', 'docker network create'],
      ['POST', '/images/create?fromImage=busybox', 'pulling busybox'],
      ['GET', '/images/a/b/get', 'docker save'],
    ] as const) {
      const { status, text } = await call(method, path);
      expect(status, path).to.equal(501);
      expect(JSON.parse(text).message).to.include(what).and.include('not there yet');
    }
  });

  it('is no swarm manager', async () => {
    for (const path of ['/nodes', '/services/x', '/swarm', '/configs', '/tasks']) {
      const { status, text } = await call('GET', path);
      expect(status, path).to.equal(503);
      expect(JSON.parse(text).message).to.match(/^This node is not a swarm manager\. Use "docker swarm init"/);
    }
  });

  it('has the networks none and host, by name, id and prefix', async () => {
    const networks: { Name: string; Id: string }[] = await json('GET', '/networks');
    expect(networks.map(({ Name }) => Name).sort()).to.deep.equal(['host', 'none']);
    for (const { Name, Id } of networks) {
      for (const asked of [Name, Id, Id.slice(0, 12)]) {
        expect((await json('GET', `/networks/${asked}`)).Id).to.equal(Id);
      }
    }
    expect((await call('GET', '/networks/nosuch')).status).to.equal(404);
    expect((await call('GET', '/volumes/nosuch')).status).to.equal(404);
    expect((await call('GET', '/plugins/nosuch/json')).status).to.equal(404);
  });

  it('shapes images as old clients know them', async () => {
    expect(await json('GET', '/v1.50/images/busybox/json')).to.not.have.property('VirtualSize');
    const old = await json('GET', '/v1.24/images/busybox/json');
    expect(old.VirtualSize).to.equal(old.Size);
    expect(old.Config).to.include({ Hostname: '', AttachStdin: false });
  });

  it('refuses a second daemon on its data root, and one with its pid file', async () => {
    const second = ['dist/bin/gantryd.js', '--exec-root', `${folder}/r`, '-H', `unix://${folder}/s`];
    const locked = spawnSync(process.execPath, [
      ...second,
      '--data-root',
      daemon.dataRoot,
      '--pidfile',
      `${folder}/pid`,
    ]);
    expect(locked.status).to.equal(1);
    expect(locked.stderr.toString()).to.include(`another gantryd uses the data root ${daemon.dataRoot}`);
    const pidfile = join(daemon.folder, 'pid');
    const running = spawnSync(process.execPath, [...second, '--data-root', `${folder}/d`, '--pidfile', pidfile]);
    expect(running.stderr.toString()).to.include(`process with PID ${daemon.pid} is still running`);
    expect((await call('GET', '/_ping')).status).to.equal(200);
  });

  it('ends on SIGTERM, and containers go on', async () => {
    const id = await create(['sleep', '1000']);
    await call('POST', `/containers/${id}/start`);
    const before = (await json('GET', `/containers/${id}/json`)).State.Pid;
    const { pid } = daemon;
    process.kill(pid, 'SIGTERM');
    while (existsSync(`/proc/${pid}/exe`)) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(existsSync(daemon.host.slice('unix://'.length))).to.equal(false);
    expect(existsSync(join(daemon.folder, 'pid'))).to.equal(false);
    await daemon.start();
    const { State } = await json('GET', `/containers/${id}/json`);
    expect(State).to.include({ Running: true, Pid: before });
    await call('DELETE', `/containers/${id}?force=1`);
  });

  it('serves the socket that a service manager hands over', async () => {
    const path = join(folder, 'handed');
    const fd = listenUnix(path, 0o600);
    const flags = `--data-root ${folder}/d2 --exec-root ${folder}/r2 --pidfile ${folder}/pid2 -H fd://`;
    const script = `LISTEN_PID=$$ LISTEN_FDS=1 exec ${process.execPath} dist/bin/gantryd.js ${flags}`;
    const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'inherit', 'inherit', fd] });
    try {
      const { status } = await askAt(path, 'GET', '/_ping');
      expect(status).to.equal(200);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  });
});

describe('the program gantryd', () => {
  it('checks a configuration, and tells its version', async () => {
    const daemon = (...flags: string[]) => run(process.execPath, ['dist/bin/gantryd.js', ...flags]);
    expect((await daemon('--validate')).stdout).to.equal('configuration OK\n');
    expect((await daemon('--version')).stdout).to.match(/^Gantry version /);
    expect((await daemon('--help')).stdout)
      .to.include('--data-root')
      .and.include('--tlsverify');
  });

  it('ends with 1 and words for a flag that it does not know', () => {
    const { status, stderr } = spawnSync(process.execPath, ['dist/bin/gantryd.js', '--nonsense']);
    expect(status).to.equal(1);
    expect(stderr.toString()).to.include("unknown option '--nonsense'");
  });

  it('is what bin/gantryd runs', async () => {
    expect(await readFile('bin/gantryd', 'utf8')).to.match(/^#!\/usr\/bin\/env node\n/);
    expect((await run('bin/gantryd', ['--version'])).stdout).to.match(/^Gantry version /);
  });
});

function ask(daemon: TestDaemon, method: string, path: string, body?: object | string): Promise<Answer> {
  return askAt(daemon.host.slice('unix://'.length), method, path, body);
}

function askAt(socketPath: string, method: string, path: string, body?: object | string): Promise<Answer> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

function upload(daemon: TestDaemon, path: string, file: string): Promise<Answer> {
  const socketPath = daemon.host.slice('unix://'.length);
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    createReadStream(file).pipe(sent);
  });
}
