import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';
import { join } from 'node:path';
import { expect } from 'chai';
import { listenUnix } from '../../drivers/libcontainer/kernel/sockets.ts';
import { parseAddress } from '../../server/address.ts';
import { ApiServer } from '../../server/api-server.ts';
import { type Listener, listen, type Tls } from '../../server/listen.ts';
import type { Route } from '../../server/route.ts';
import { freePort } from '../stand-ins/free-port.ts';
import { makeKeys } from '../stand-ins/tls-keys.ts';

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/_ping', handle: async () => ({ status: 200, text: 'OK' }) },
  { method: 'POST', path: '/_ping', handle: async () => ({ status: 200, text: 'OK' }) },
];
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe('an address to listen on', () => {
  const good: readonly (readonly [text: string, address: object])[] = [
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['unix://', { kind: 'unix', path: '/var/run/gantry.sock' }],
    ['tcp://127.0.0.1:1234', { kind: 'tcp', host: '127.0.0.1', port: 1234 }],
    ['tcp://127.0.0.1', { kind: 'tcp', host: '127.0.0.1', port: 2375 }],
    ['tcp://[::1]:1234', { kind: 'tcp', host: '::1', port: 1234 }],
    ['tcp://:1234', { kind: 'tcp', host: 'localhost', port: 1234 }],
    ['localhost:1234', { kind: 'tcp', host: 'localhost', port: 1234 }],
    ['fd://', { kind: 'fd', index: null }],
    ['fd://*', { kind: 'fd', index: null }],
    ['fd://3', { kind: 'fd', index: 3 }],
  ];
  for (const [text, address] of good) {
    it(`is read from ${text}`, () => {
      expect(parseAddress(text, false)).to.deep.equal(address);
    });
  }

  it('has another port by default when there is TLS', () => {
    expect(parseAddress('tcp://127.0.0.1', true)).to.deep.equal({ kind: 'tcp', host: '127.0.0.1', port: 2376 });
  });

  for (const text of ['udp://127.0.0.1:1', 'unix://relative', 'tcp://a:b', 'tcp://a:70000', 'tcp://::1:1', 'fd://x']) {
    it(`is refused: ${text}`, () => {
      expect(() => parseAddress(text, false)).to.throw(`invalid bind address format: ${text}`);
    });
  }
});

/** Listens and accepts nobody, until the kernel takes no more callers. */
const FULL_BACKLOG = `
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(0)
callers = []
while True:
    caller = socket.socket(socket.AF_UNIX)
    caller.setblocking(False)
    callers.append(caller)
    try:
        caller.connect(sys.argv[1])
    except BlockingIOError:
        break
print('full', flush=True)
sys.stdin.read()
`;

describe('listening', () => {
  let folder: string;
  let listeners: Listener[];
  const open = async (addresses: readonly string[], tls: Tls | null = null) => {
    const api = new ApiServer(ROUTES);
    api.accept();
    const made = await listen(api, addresses, { tls, group: '0', bindUnix: listenUnix });
    listeners.push(...made);
  };

  beforeEach(async () => {
    folder = await mkdtemp('/tmp/g-');
    listeners = [];
  });
  afterEach(async () => {
    for (const listener of listeners) listener.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe('on a unix socket', () => {
    it('lets in the group and nobody else, whatever the umask', async () => {
      const path = join(folder, 'sock');
      await open([`unix://${path}`]);
      const { mode, uid } = await stat(path);
      expect(mode & 0o777).to.equal(0o660);
      expect(uid).to.equal(process.getuid?.());
    });

    it('is gone when it is closed', async () => {
      const path = join(folder, 'sock');
      await open([`unix://${path}`]);
      for (const listener of listeners.splice(0)) listener.close();
      expect(await stat(path).catch(() => null)).to.equal(null);
    });

    it('replaces a socket that nobody answers at', async () => {
      const path = join(folder, 'sock');
      await leaveDeadSocket(path);
      await open([`unix://${path}`]);
      expect(await get({ socketPath: path })).to.equal(200);
    });

    it('refuses where another has more callers waiting than it may have, and leaves it alone', async function () {
      if (!existsSync('/usr/bin/python3')) return this.skip();
      const path = join(folder, 'sock');
      const busy = spawn('/usr/bin/python3', ['-c', FULL_BACKLOG, path], { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        await once(busy.stdout, 'data');
        await expectFailure(open([`unix://${path}`]), /another daemon is listening there/);
        expect((await stat(path)).isSocket()).to.equal(true);
      } finally {
        busy.kill('SIGKILL');
      }
    });

    it('refuses where another daemon answers, and leaves it alone', async () => {
      const path = join(folder, 'sock');
      await open([`unix://${path}`]);
      await expectFailure(open([`unix://${path}`]), /another daemon is listening there/);
      expect(await get({ socketPath: path })).to.equal(200);
    });

    it('refuses where something else is in its place', async () => {
      const path = join(folder, 'file');
      writeFileSync(path, 'precious');
      await expectFailure(open([`unix://${path}`]), /something else is in its place/);
      expect(readFileSync(path, 'utf8')).to.equal('precious');
    });

    it('refuses a group that is not there', async () => {
      const api = new ApiServer(ROUTES);
      const options = { tls: null, group: 'no-such-group', bindUnix: listenUnix };
      await expectFailure(listen(api, [`unix://${folder}/s`], options), /group no-such-group not found/);
    });

    it('takes the header Host for what it likes', async () => {
      const path = join(folder, 'sock');
      await open([`unix://${path}`]);
      expect(await get({ socketPath: path, headers: { host: 'api.moby.localhost', origin: 'x' } })).to.equal(200);
    });
  });

  it('opens several addresses, or none', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    await open([`unix://${one}`, `unix://${two}`]);
    expect(await get({ socketPath: two })).to.equal(200);
    await expectFailure(open([`unix://${folder}/three`, `unix://${two}`]), /another daemon/);
    expect(await stat(`${folder}/three`).catch(() => null)).to.equal(null);
  });

  describe('on TCP', () => {
    const headers: readonly (readonly [what: string, headers: OutgoingHttpHeaders, status: number])[] = [
      ['an address as Host', {}, 200],
      ['localhost as Host', { host: 'localhost:1234' }, 200],
      ['an IPv6 address as Host', { host: '[::1]:1234' }, 200],
      ['a foreign Host', { host: 'evil.test:2375' }, 403],
      ['a Host that looks like an address', { host: '127.0.0.1.evil.test' }, 403],
      ['an Origin', { origin: 'http://127.0.0.1' }, 403],
      ['the Origin null', { origin: 'null' }, 403],
      ['a Referer', { referer: 'http://evil.test/' }, 403],
      ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }, 403],
      ['a fetch of the user', { 'sec-fetch-site': 'none' }, 200],
    ];
    for (const [what, given, status] of headers) {
      it(`answers ${status} to ${what}`, async () => {
        const port = await freePort();
        await open([`tcp://127.0.0.1:${port}`]);
        expect(await get({ host: '127.0.0.1', port, headers: given })).to.equal(status);
      });
    }

    it('says whose address it is when it is taken', async () => {
      const port = await freePort();
      await open([`tcp://127.0.0.1:${port}`]);
      await expectFailure(open([`tcp://127.0.0.1:${port}`]), /listen tcp:\/\/127\.0\.0\.1:\d+: address already in use/);
    });
  });

  describe('with TLS', () => {
    before(function () {
      if (!hasOpenssl) this.skip();
    });

    it('lets in whom the CA signed, and nobody else', async () => {
      const keys = makeKeys(folder);
      const port = await freePort();
      await open([`tcp://127.0.0.1:${port}`], { ca: keys.ca, cert: keys.server.cert, key: keys.server.key });
      const at = { host: '127.0.0.1', port, ca: keys.ca, checkServerIdentity: () => undefined };
      expect(await getSecure({ ...at, ...keys.client })).to.equal(200);
      expect(await getSecure(at)).to.equal('refused');
      expect(await getSecure({ ...at, ...keys.stranger })).to.equal('refused');
      expect(await getSecure({ ...at, ...keys.client, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).to.equal(
        'refused',
      );
      expect(await get({ host: '127.0.0.1', port }).catch(() => 'refused')).to.not.equal(200);
    });

    it('lets anyone in without a CA, encrypted', async () => {
      const keys = makeKeys(folder);
      const port = await freePort();
      await open([`tcp://127.0.0.1:${port}`], { ca: null, cert: keys.server.cert, key: keys.server.key });
      expect(await getSecure({ host: '127.0.0.1', port, rejectUnauthorized: false })).to.equal(200);
    });
  });

  it('says so when the service manager hands nothing over', async () => {
    await expectFailure(open(['fd://']), /no sockets found via socket activation/);
  });
});

/** Of a process that bound it and was killed: Node would take the file away. */
async function leaveDeadSocket(path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  expect((await stat(path)).isSocket()).to.equal(true);
}

function get(options: {
  socketPath?: string;
  host?: string;
  port?: number;
  headers?: OutgoingHttpHeaders;
}): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, path: '/_ping', method: 'GET', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

function getSecure(options: RequestOptions): Promise<number | 'refused'> {
  return new Promise((resolve) => {
    const sent = secureRequest({ ...options, path: '/_ping', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', () => resolve('refused'));
    sent.end();
  });
}

async function expectFailure(work: Promise<unknown>, words: RegExp): Promise<void> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(Error).with.property('message').that.matches(words);
}
