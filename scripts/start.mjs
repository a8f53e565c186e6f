/** npm start — set-up, then the daemon in the foreground. Words behind `npm start --` are its flags. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, setUp } from './set-up.mjs';

setUp('run');
const daemon = spawn(process.execPath, [join(ROOT, 'dist/bin/gantryd.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => daemon.kill(signal));
daemon.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
