import { cpus, release } from 'node:os';
import { execa } from 'execa';
import { medianOf, timed } from './statistics.ts';

/** `docker --version` in ms on the machine and the day for which the goals were set. */
const CLI_WHERE_GOALS_WERE_SET = 8;

/**
 * What the figures were taken on. The CLI by itself, which speaks to no engine, tells how fast the machine is today: the
 * goals in ms are for one on which it takes 8.
 */
export async function machineLine(): Promise<string> {
  const processors = cpus();
  const ms = medianOf(await timed(20, () => execa('docker', ['--version'])));
  const factor = (ms / CLI_WHERE_GOALS_WERE_SET).toFixed(1);
  return (
    `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, Linux ${release()}, Node ${process.versions.node}; ` +
    `docker --version takes ${ms.toFixed(1)} ms, ${factor} times what it took where the goals were set`
  );
}
