/** npm run demo — set-up, then a tour: a throw-away engine, a container, its jobs and kernel operations, all gone again. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, setUp } from './set-up.mjs';

setUp('run');
const demo = spawn(process.execPath, [join(ROOT, 'dist/scripts/demo.js')], { stdio: 'inherit', cwd: ROOT });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => demo.kill(signal));
demo.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
