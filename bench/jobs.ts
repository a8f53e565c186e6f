/**
 * What a job costs by itself, in microseconds: with the trace off, on, and watched; a child job; a chunk through its
 * stdout. Usage: node dist/bench/jobs.js
 */
import { performance } from 'node:perf_hooks';
import { Engine } from '../engine/engine.ts';
import { object } from '../std/decode.ts';

interface Trials {
  nothing: { args: []; env: Readonly<Record<never, never>>; result: null };
  /** A hundred awaits: what the trace costs a job that does something. */
  busy: { args: []; env: Readonly<Record<never, never>>; result: null };
  parent: { args: []; env: Readonly<Record<never, never>>; result: null };
  writes: { args: []; env: Readonly<Record<never, never>>; result: null };
}

const ROUNDS = 5;
const JOBS = 10_000;
const CHUNK = Buffer.alloc(1024);

const engine = engineOfTrials();
for (const name of ['nothing', 'busy', 'parent', 'writes'] as const) {
  const off = await medianMicroseconds(name);
  const tracing = engine.trace.start();
  const on = await medianMicroseconds(name);
  const stop = engine.trace.watch(() => {});
  const watched = await medianMicroseconds(name);
  stop();
  tracing[Symbol.dispose]();
  const ratio = (on / off).toFixed(2);
  console.log(
    `${name.padEnd(8)} off ${off.toFixed(1)} µs   on ${on.toFixed(1)} µs (×${ratio})   watched ${watched.toFixed(1)} µs`,
  );
}

function engineOfTrials(): Engine<Trials> {
  const trials = new Engine<Trials>();
  const contract = { summary: 'A trial', usage: '', env: object({}) } as const;
  trials.register('nothing', { ...contract, handler: async () => null });
  trials.register('busy', {
    ...contract,
    handler: async () => {
      for (let i = 0; i < 100; i++) await null;
      return null;
    },
  });
  trials.register('parent', { ...contract, handler: (job) => job.runChild('nothing', [], {}) });
  trials.register('writes', {
    ...contract,
    handler: async (job) => {
      for (let i = 0; i < 100; i++) await job.stdout.write(CHUNK);
      return null;
    },
  });
  return trials;
}

async function medianMicroseconds(name: keyof Trials): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    for (let i = 0; i < JOBS; i++) await engine.run(name, [], {});
    rounds.push(((performance.now() - from) / JOBS) * 1000);
  }
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}
