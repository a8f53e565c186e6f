import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { CliSession } from '../cli/session.ts';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';

/** Debian's, which has Debian's python3-docker. */
const PYTHON = '/usr/bin/python3';

describe('client libraries against gantryd', function () {
  this.timeout(120_000);
  let folder: string | undefined;
  let daemon: TestDaemon | undefined;
  let session: CliSession | undefined;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'libraries-'));
    daemon = await startGantryd();
    session = await CliSession.open(daemon.host, await makeArchive(folder));
  });

  after(async () => {
    await session?.[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const smoke = async (program: string, script: string) => {
    const env = { DOCKER_HOST: daemon?.host };
    const { stdout, stderr } = await execa(program, [script], { env, timeout: 60_000, reject: false });
    expect(stderr).to.equal('');
    expect(stdout).to.equal('done');
  };

  it('docker-py creates, attaches, starts, executes, follows, waits, watches and removes', async function () {
    if (spawnSync(PYTHON, ['-c', 'import docker']).status !== 0) return this.skip();
    await smoke(PYTHON, 'test/clients/smoke.py');
  });

  it('dockerode does so too', () => smoke(process.execPath, 'test/clients/smoke.mjs'));
});
