/**
 * A plugin that kills its own daemon at the nth of the steps that leave a trace outside of its memory (names on disk,
 * writes, syncs, programs started, reports of drivers), counted from the moment at which a job begins.
 */
import { subscribe } from 'node:diagnostics_channel';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { JobTable } from '../../api/jobs.ts';
import { CHANNEL } from '../../api/trace.ts';
import { builtFile } from '../../drivers/libcontainer/kernel/binding.ts';
import type { Engine } from '../../engine/engine.ts';
import type { PluginKit } from '../../engine/plugins.ts';

export interface CutJobs {
  /** From the next run of `job` on, die before step `nth` (from 1). Result: steps counted since the last order. */
  cut: { args: [job: string, nth: string]; env: object; result: number };
}

const CHANGES = ['mkdir', 'rename', 'rm', 'unlink', 'rmdir', 'writeFile', 'open'] as const;
const HANDLE_CHANGES = ['write', 'writeFile', 'datasync', 'sync'] as const;
const NATIVE_CHANGES = ['spawn', 'mkdirBeneath', 'renameBeneath', 'unlinkBeneath', 'pidfdSendSignal'] as const;

type Call = (...args: unknown[]) => unknown;
type Calls = Record<string, Call>;

export async function install(engine: Engine<JobTable & CutJobs>, { decode }: PluginKit): Promise<void> {
  const counter = new Counter();
  const require = createRequire(import.meta.url);
  const files = require('node:fs/promises') as Calls & { open(path: string): Promise<object & AsyncDisposable> };
  const file = await files.open('/dev/null');
  countCalls(Object.getPrototypeOf(file) as Calls, HANDLE_CHANGES, counter);
  await (file as unknown as { close(): Promise<void> }).close();
  countCalls(files, CHANGES, counter);
  syncBuiltinESMExports();
  const native = require(builtFile('gantry.node')) as { sync: Calls; pool: Calls };
  for (const calls of [native.sync, native.pool]) countCalls(calls, NATIVE_CHANGES, counter);
  subscribe(CHANNEL.driver, () => counter.step());

  engine.register('cut', {
    summary: 'Kills the daemon at a step of a job',
    usage: '<job> <nth>',
    env: decode.object({}),
    handler: async ({ args: [job, nth] }) => counter.order(job, Number(nth)),
  });
  for (const { name } of engine.contracts()) {
    if (name === 'cut') continue;
    engine.wrap(name as keyof JobTable, (next) => async (job) => {
      counter.begin(name);
      const result = await next(job);
      counter.step();
      return result as never;
    });
  }
}

class Counter {
  #job = '';
  #left = 0;
  #steps = 0;
  #isCounting = false;

  order(job: string, nth: number): number {
    const steps = this.#steps;
    this.#job = job;
    this.#left = nth;
    this.#steps = 0;
    this.#isCounting = false;
    return steps;
  }

  begin(job: string): void {
    if (job === this.#job) this.#isCounting = true;
  }

  step(): void {
    if (!this.#isCounting) return;
    this.#steps++;
    if (--this.#left === 0) process.kill(process.pid, 'SIGKILL');
  }
}

function countCalls(calls: Calls, names: readonly string[], counter: Counter): void {
  for (const name of names) {
    const call = calls[name];
    if (call === undefined) continue;
    calls[name] = function (this: unknown, ...args: unknown[]) {
      counter.step();
      return Reflect.apply(call, this, args);
    };
  }
}
