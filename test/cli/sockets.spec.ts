import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { listenUnix } from '../../drivers/libcontainer/kernel/sockets.ts';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { freePort } from '../stand-ins/free-port.ts';
import { makeKeys } from '../stand-ins/tls-keys.ts';
import { ROWS } from './commands.ts';
import { CliSession, type Seen } from './session.ts';

/** Every way that bytes take: short answers, long ones, both ends of a hijacked connection, a half-closed one. */
const NAMES = [
  'run prints what the command prints',
  'run ends with the exit code of the command',
  'run passes a pipe to stdin',
  'run -it takes the size of the terminal',
  'run large output arrives whole',
  'run large input arrives whole',
  'run of a missing program ends with 127',
  'run -d --rm of a missing program ends with 127',
  'run of a missing program, kept, ends with 127',
  'run of a file that is no program ends with 126',
  'run of an unknown user ends with 125',
  'run -d prints the id, wait the code',
  'start -ai feeds it',
  'attach shows what comes',
  'attach to a shell types into it',
  'attach and its detach keys',
  'exec',
  'exec -t',
  'logs -f ends with the container',
  'events of one container, ended by itself',
  'wait on one that ends later',
];
/**
 * Before 1.25 the CLI itself takes away what `--rm` ran, when it hears that it has died; what never ran does not die, and
 * so it waits for ever, with dockerd as well.
 */
const ENDLESS_BEFORE_125 = [
  'run of a missing program ends with 127',
  'run -d --rm of a missing program ends with 127',
  'run of a file that is no program ends with 126',
  'run of an unknown user ends with 125',
];
/**
 * Before 1.30 the CLI waits by events, and when it ends by itself it says at times, to whichever engine it speaks, that it
 * does not listen to them any more.
 */
const OWN_END = /^time="<time>" level=error msg="error getting events from daemon: context canceled"\n/gm;
/** Of several seconds each. Between the versions that have them nothing changed in what they look at. */
const LONG = ['attach and its detach keys', 'events of one container, ended by itself'];
const VERSIONS_WITH_LONG = ['1.24', '1.29', '1.41', '1.50'];
const VERSIONS = ['1.24', '1.25', '1.29', '1.30', '1.38', '1.40', '1.41', '1.44', '1.47', '1.50'];

const recorded: Readonly<Record<string, Seen>> = JSON.parse(readFileSync('test/cli/expected.json', 'utf8'));
const rows = ROWS.filter(({ name }) => NAMES.includes(name));
const has = (program: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

describe('the docker CLI over every kind of socket', function () {
  this.timeout(120_000);
  let folder: string;
  let archive: string;
  let daemon: TestDaemon | undefined;
  let session: CliSession | undefined;

  before(async function () {
    if (!has('docker') || process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'sockets-'));
    archive = await makeArchive(folder);
  });

  afterEach(function () {
    if (this.currentTest?.isFailed() && daemon !== undefined) process.stderr.write(daemon.log());
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const close = async () => {
    await session?.[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
    session = undefined;
    daemon = undefined;
  };

  const showsTheSame = (without: readonly string[] = [], own: RegExp | null = null) => {
    for (const row of rows) {
      if (without.includes(row.name)) continue;
      it(row.name, async () => {
        const seen = await session?.run(row);
        const said = seen !== undefined && own !== null ? { ...seen, stderr: seen.stderr.replace(own, '') } : seen;
        expect(said).to.deep.equal(recorded[row.name]);
      });
    }
  };

  describe('over tcp', () => {
    before(async () => {
      const host = `tcp://127.0.0.1:${await freePort()}`;
      daemon = await startGantryd(['-H', host]);
      session = await CliSession.open(host, archive);
    });
    after(close);
    // Over plain tcp the CLI does not see its own detach keys: net.TCPConn wraps the error that tells of them.
    showsTheSame(['attach and its detach keys']);
  });

  describe('over TLS', () => {
    let host: string;

    before(async function () {
      if (spawnSync('openssl', ['version']).status !== 0) return this.skip();
      makeKeys(folder);
      for (const who of ['client', 'stranger']) await makeCertPath(folder, who);
      host = `tcp://127.0.0.1:${await freePort()}`;
      const files = ['--tlscacert', 'ca.pem', '--tlscert', 'server.pem', '--tlskey', 'server.key'];
      const paths = files.map((word) => (word.startsWith('--') ? word : join(folder, word)));
      daemon = await startGantryd(['--tlsverify', ...paths, '-H', host]);
      session = await CliSession.open(host, archive, {
        DOCKER_TLS_VERIFY: '1',
        DOCKER_CERT_PATH: join(folder, 'client'),
      });
    });
    after(close);
    showsTheSame();

    it('refuses a client whom another CA signed', async () => {
      const path = join(folder, 'stranger');
      const seen = await session?.sh(`DOCKER_CERT_PATH=${path} docker ps`);
      expect(seen?.code).to.equal(1);
      expect(seen?.stderr).to.match(/remote error: tls|bad certificate|connection reset|EOF/);
    });

    it('refuses a client without a certificate', async () => {
      const seen = await session?.sh(
        `unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH; docker --tls --tlscacert ${join(folder, 'ca.pem')} ps`,
      );
      expect(seen?.code).to.equal(1);
      expect(seen?.stderr).to.match(/remote error: tls|certificate required|connection reset|EOF/);
    });

    it('refuses a client without TLS', async () => {
      const seen = await session?.sh('unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH; docker ps');
      expect(seen?.code).to.equal(1);
      expect(seen?.stdout).to.equal('');
    });
  });

  describe('over a socket of the service manager', () => {
    before(async () => {
      const path = join(folder, 'handed-over.sock');
      const descriptor = listenUnix(path, 0o660);
      try {
        daemon = await startGantryd(['-H', 'fd://'], '/tmp', descriptor);
      } finally {
        // It is the daemon's now: nobody else is to hold it, or even to take connections from it.
        closeSync(descriptor);
      }
      session = await CliSession.open(`unix://${path}`, archive);
    });
    after(close);
    showsTheSame();
  });

  for (const version of VERSIONS) {
    describe(`with API version ${version}`, () => {
      before(async () => {
        daemon = await startGantryd();
        session = await CliSession.open(daemon.host, archive, { DOCKER_API_VERSION: version });
      });
      after(close);
      // The CLI itself refuses `exec -w` before 1.35.
      const refused = version < '1.35' ? ['exec'] : [];
      const endless = version < '1.25' ? ENDLESS_BEFORE_125 : [];
      const long = VERSIONS_WITH_LONG.includes(version) ? [] : LONG;
      showsTheSame([...refused, ...endless, ...long], version < '1.30' ? OWN_END : null);
    });
  }
});

/** As DOCKER_CERT_PATH wants it. */
async function makeCertPath(folder: string, who: string): Promise<void> {
  const path = join(folder, who);
  await mkdir(path);
  await copyFile(join(folder, 'ca.pem'), join(path, 'ca.pem'));
  await copyFile(join(folder, `${who}.pem`), join(path, 'cert.pem'));
  await copyFile(join(folder, `${who}.key`), join(path, 'key.pem'));
}
