/** The daemon program: flags, log, signals. */

import { writeSync } from 'node:fs';
import { format } from 'node:util';
import { CommanderError } from 'commander';
import createDebug from 'debug';
import { EngineError } from '../api/errors.ts';
import type { JobTable } from '../api/jobs.ts';
import { boot } from '../boot.ts';
import { type Config, loadConfig } from '../config.ts';
import type { Engine } from '../engine/engine.ts';

const warn = createDebug('gantry:warn:gantryd');
/** Signals that ask for the end, after the first, until we go at once. */
const IMPATIENCE = 3;
const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

async function main(argv: readonly string[]): Promise<void> {
  const config = loadConfig(argv);
  if (config.isCheckOnly) {
    process.stdout.write('configuration OK\n');
    return;
  }
  chooseLog(config);
  process.on('uncaughtException', (error) => warn('bug: uncaught: %O', error));
  process.on('unhandledRejection', (reason) => warn('bug: unhandled: %O', reason));
  process.on('SIGHUP', () => warn('SIGHUP: reading the configuration again is not there yet'));
  const ending = endOnSignal();
  const engine = await boot(config);
  ending.engine(engine, config['shutdown-timeout'] * 1000);
}

/** Warnings always, unless the level is above them; all with `debug`. What DEBUG names comes in addition. */
function chooseLog(config: Config): void {
  const isLoud = config.debug || config['log-level'] === 'debug';
  const isQuiet = config['log-level'] === 'error' || config['log-level'] === 'fatal';
  const ours = isLoud ? 'gantry:*' : isQuiet ? '' : 'gantry:warn:*';
  createDebug.log = logLine;
  createDebug.enable([process.env['DEBUG'] ?? '', ours].filter(Boolean).join(','));
}

/**
 * A log that takes no more, such as a file on a full disk, is no reason to end, nor one to write a line about. Not by
 * process.stderr: it tells of a failed write by an event of its own later, and that would be a line again, without end.
 */
function logLine(...words: readonly unknown[]): void {
  try {
    writeSync(2, `${format(...words)}\n`);
  } catch {
    // nobody is left to be told
  }
}

/** The first signal ends the daemon in order, containers go on; more of them end it at once. */
function endOnSignal(): { engine(engine: Engine<JobTable>, graceMs: number): void } {
  let asked = 0;
  let stop: () => Promise<void> = async () => process.exit(0);
  let isBooted = false;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      asked++;
      if (asked > IMPATIENCE) process.exit(128 + NUMBERS[name]);
      if (asked === 1 && isBooted) void stop();
    });
  }
  return {
    engine: (engine, graceMs) => {
      stop = async () => {
        await engine.shutdown({ graceMs: Math.max(0, graceMs) });
        process.exit(0);
      };
      isBooted = true;
      if (asked > 0) void stop();
    },
  };
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode);
  process.stderr.write(
    `gantryd: ${error instanceof EngineError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}
