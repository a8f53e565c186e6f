import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { dockerdIsInstalled, type ReferenceEngine, startDockerd } from '../stand-ins/dockerd.ts';
import { ROWS } from './commands.ts';
import { CliSession, type Seen } from './session.ts';

/** What dockerd showed when it was recorded (`node dist/test/cli/record.js`), for machines that have none. */
const recorded: Readonly<Record<string, Seen>> = JSON.parse(readFileSync('test/cli/expected.json', 'utf8'));

const hasDocker = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'docker')));

/** Where dockerd is installed it runs beside ours; GANTRY_COMPARE=recorded leaves it out. */
const live = process.env['GANTRY_COMPARE'] !== 'recorded' && dockerdIsInstalled();

describe(`the docker CLI against gantryd shows what it shows against dockerd (${live ? 'live' : 'recorded'})`, function () {
  this.timeout(120_000);
  let folder: string;
  let daemon: TestDaemon;
  let session: CliSession;
  let reference: ReferenceEngine | null = null;
  let referenceSession: CliSession | null = null;

  before(async function () {
    if (!hasDocker || process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'compare-'));
    const archive = await makeArchive(folder);
    daemon = await startGantryd();
    session = await CliSession.open(daemon.host, archive);
    if (live) {
      reference = await startDockerd();
      referenceSession = await CliSession.open(reference.host, archive);
    }
  });

  after(async () => {
    await session?.[Symbol.asyncDispose]();
    await referenceSession?.[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
    await reference?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  for (const row of ROWS) {
    it(row.name, async function () {
      const expected = referenceSession === null ? recorded[row.name] : await referenceSession.run(row);
      if (expected === undefined || (referenceSession === null && row.ofThisMachine)) return this.skip();
      expect(await session.run(row)).to.deep.equal(expected);
    });
  }
});
