import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tarSeeds } from './tar-seeds.ts';

const run = promisify(execFile);
const NATIVE = fileURLToPath(new URL('../../../../drivers/libcontainer/native/', import.meta.url));
/** GANTRY_FUZZ_SECONDS for longer. */
const SECONDS = Number(process.env['GANTRY_FUZZ_SECONDS'] ?? 5);

describe('the tar parser under fuzz', function () {
  this.timeout((SECONDS + 120) * 1000);
  let folder: string;

  before(async function () {
    const hasClang = await run('clang', ['--version']).catch(() => null);
    if (hasClang === null) this.skip();
    await run('make', ['-s', '-C', NATIVE, 'fuzz']);
    folder = await mkdtemp('/tmp/g-fuzz-');
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it(`keeps its promises for ${SECONDS} seconds`, async () => {
    const corpus = join(folder, 'corpus');
    await mkdir(corpus);
    for (const [name, bytes] of tarSeeds()) await writeFile(join(corpus, name), bytes);
    const options = [
      `-max_total_time=${SECONDS}`,
      '-max_len=16384',
      '-rss_limit_mb=512',
      `-artifact_prefix=${folder}/`,
    ];
    await run(join(NATIVE, 'build/fuzz/tar'), [...options, corpus], { cwd: folder, maxBuffer: 1 << 26 });
  });
});
