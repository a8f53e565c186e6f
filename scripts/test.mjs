/**
 * npm test — set-up, build, lint, and all specs. The last line is `N passed, N failed, N skipped`; lint counts as one.
 * Words behind `npm test --` go to mocha: `npm test -- --grep attach`, `npm test -- dist/test/log/log-drivers.spec.js`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, setUp } from './set-up.mjs';

/** All of it has to be over by then; a test that hangs is a failure. */
const DEADLINE_MS = Number(process.env.GANTRY_TEST_MINUTES ?? 19) * 60_000;
const ALL = 'dist/test/**/*.spec.js';
const begin = Date.now();

setUp('test');
const folder = mkdtempSync(join(tmpdir(), 'g-test-'));
const counts = join(folder, 'counts.json');
const lint = start('biome', ['check', '--error-on-warnings', '.']);
const mocha = start('mocha', ['--reporter', join(ROOT, 'dist/test/reporter.js'), ...wordsForMocha()]);
const total = add(countsOf(), { passed: lint ? 1 : 0, failed: lint ? 0 : 1, skipped: 0 });
rmSync(folder, { recursive: true });

if (!lint) process.stdout.write('failed: biome check .\n');
if (!mocha && total.failed === 0) total.failed = 1;
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(total.failed === 0 ? 0 : 1);

function wordsForMocha() {
  const words = process.argv.slice(2);
  return words.some((word) => word.endsWith('.spec.js')) ? words : [...words, ALL];
}

function start(program, words) {
  const { status, error } = spawnSync(join(ROOT, 'node_modules/.bin', program), words, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, GANTRY_COUNTS: counts },
    timeout: Math.max(1000, begin + DEADLINE_MS - Date.now()),
    killSignal: 'SIGTERM',
  });
  if (error !== undefined) process.stdout.write(`${program}: ${error.message}\n`);
  return status === 0;
}

/** As the reporter left them; a run that did not come to its end has failed. */
function countsOf() {
  try {
    return JSON.parse(readFileSync(counts, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function add(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}
