import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { main } from '../../client/cli.ts';
import { listenUnix } from '../../drivers/libcontainer/kernel/sockets.ts';
import { ApiServer } from '../../server/api-server.ts';
import { type Listener, listen } from '../../server/listen.ts';
import { apiRoutes } from '../../server/routes.ts';
import { trialEngine } from '../stand-ins/trials.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** One self-signed certificate, in the folder as docker looks for it: its own CA, the server's and the client's. */
describe('gantry over TLS', () => {
  let folder: string;
  let listeners: readonly Listener[];
  let port: number;
  let env: NodeJS.ProcessEnv;

  before(async function () {
    if (!hasOpenssl) return this.skip();
    folder = await mkdtemp('/tmp/g-');
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const names = ['-subj', '/CN=gantry', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', ...curve, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    execFileSync('cp', [cert, join(folder, 'ca.pem')]);
    const api = new ApiServer(apiRoutes(trialEngine()));
    api.accept();
    const pem = await readFile(cert, 'utf8');
    const tls = { cert: pem, ca: pem, key: await readFile(key, 'utf8') };
    port = await freePort();
    listeners = await listen(api, [`tcp://127.0.0.1:${port}`], { tls, group: '0', bindUnix: listenUnix });
    env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
  });
  after(async () => {
    if (!hasOpenssl) return;
    for (const listener of listeners) listener.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function gantry(words: readonly string[], more: NodeJS.ProcessEnv, stdin = '') {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const terminal = { stdin: Readable.from([Buffer.from(stdin)]), stdout, stderr, env: { ...env, ...more } };
    const status = await main(words, terminal);
    stdout.end();
    stderr.end();
    return { status, stdout: await text(stdout), stderr: await text(stderr) };
  }

  it('finds its certificates where docker does, and runs jobs both ways', async () => {
    expect(await gantry(['job', 'commands'], {})).to.deep.equal({
      ...{ status: 0, stdout: 'commands\nevents\ninfo\nload\n', stderr: '' },
    });
    expect(await gantry(['job', 'load'], {}, 'hello')).to.include({ status: 0, stdout: 'hello' });
  });

  it('is refused without a certificate of its own', async () => {
    const { status, stderr } = await gantry(['--tls', 'jobs'], {
      DOCKER_TLS_VERIFY: '',
      DOCKER_CERT_PATH: '',
      HOME: '/',
    });
    expect(status).to.equal(125);
    expect(stderr).to.match(/^error during connect: GET tcp:\/\/127\.0\.0\.1:\d+\/jobs: /);
  });

  it('does not speak to a server that it cannot verify', async () => {
    const { status, stderr } = await gantry(['-H', `tcp://localhost:${port}`, 'jobs'], {});
    expect(status).to.equal(125);
    expect(stderr).to.contain("does not match certificate's altnames");
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
