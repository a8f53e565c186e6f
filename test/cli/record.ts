/** Writes what dockerd shows for every row into test/cli/expected.json, for machines that have no dockerd. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startDockerd } from '../stand-ins/dockerd.ts';
import { ROWS } from './commands.ts';
import { CliSession, type Seen } from './session.ts';

const file = 'test/cli/expected.json';
const pattern = new RegExp(process.argv[2] ?? '.');
const folder = await mkdtemp(join(tmpdir(), 'record-'));
try {
  await using engine = await startDockerd();
  await using session = await CliSession.open(engine.host, await makeArchive(folder));
  const seen: Record<string, Seen> = process.argv[2] === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'));
  for (const row of ROWS) {
    if (!pattern.test(row.name)) continue;
    seen[row.name] = await session.run(row);
    process.stdout.write(`${row.name}: ${JSON.stringify(seen[row.name])}\n`);
  }
  writeFileSync(file, `${JSON.stringify(seen, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
