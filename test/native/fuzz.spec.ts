import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Of each target; `npm run test:slow` gives them ten minutes. */
const SECONDS = Number(process.env['GANTRY_FUZZ_SECONDS'] ?? 5);
const EMPTY = 'int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return data == 0 && size; }';

describe(`the C parts that read what others wrote, fuzzed for ${SECONDS} s each`, function () {
  this.timeout(SECONDS * 10_000 + 300_000);

  before(async function () {
    const script = 'printf %s "$0" | clang -fsanitize=fuzzer,address -x c - -o /dev/null';
    await run('sh', ['-c', script, EMPTY]).catch(() => this.skip());
  });

  it('neither crash nor touch memory that is not theirs', async () => {
    await run('sh', ['test/native/fuzz/run.sh', String(SECONDS)], { maxBuffer: 64 * 1024 * 1024 });
  });
});
