/**
 * npm run bench: Gantry beside dockerd in one run, in ratios. Absolute figures move from machine to machine.
 *
 *   node dist/bench/run.js [NAME …]     only the measurements whose name holds one of these words
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { Api } from '../test/stand-ins/api.ts';
import { makeArchive } from '../test/stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../test/stand-ins/daemon.ts';
import { dockerdIsInstalled, startDockerd } from '../test/stand-ins/dockerd.ts';
import { freshDisk } from './fresh-disk.ts';
import { machineLine } from './machine.ts';
import { commandOf, family, pss } from './memory.ts';
import { medianInTurns, medianOf, timed } from './statistics.ts';

interface Engines {
  readonly ours: TestDaemon;
  readonly theirs: { readonly host: string } | null;
}
interface Line {
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
  /** What is asked, and whether it holds. */
  readonly goal: string;
  readonly holds: boolean;
}
type Measurement = readonly [name: string, measure: (engines: Engines) => Promise<Line[]>];

const MEASUREMENTS: readonly Measurement[] = [
  ['cli run --net none', (engines) => cliRun(engines, 'none', 40)],
  ['cli run --net host', (engines) => cliRun(engines, 'host', 35)],
  ['api cycle', apiCycle],
  ['api exec', apiExec],
  ['log throughput', logThroughput],
  ['idle monitor', idleMonitor],
  ['memory with 100 containers', memoryOfHundred],
  ['500 live containers', manyLive],
  ['ready with 500 stopped', readyWithMany],
];

async function cliRun({ ours, theirs }: Engines, network: string, goalMs: number): Promise<Line[]> {
  const once = (host: string) => () =>
    execa('docker', ['-H', host, 'run', '--rm', '--net', network, 'busybox', 'true']);
  const medians = await medianInTurns(10, once(ours.host), theirs && once(theirs.host));
  return [compared(`docker run --rm --net ${network} busybox true`, medians, goalMs, 4)];
}

async function apiCycle({ ours, theirs }: Engines): Promise<Line[]> {
  const mine = new Api(ours.host);
  const reference = theirs && new Api(theirs.host);
  const medians = await medianInTurns(15, () => mine.cycle(), reference && (() => reference.cycle()));
  mine.close();
  reference?.close();
  return [compared('API create+start+wait+remove', medians, 15, 10)];
}

async function apiExec({ ours, theirs }: Engines): Promise<Line[]> {
  const open = async (host: string) => {
    const api = new Api(host);
    const id = await api.create('busybox', ['sleep', '1000']);
    await api.start(id);
    const close = async () => {
      await api.remove(id);
      api.close();
    };
    return { exec: () => api.exec(id, ['true']), close };
  };
  const mine = await open(ours.host);
  const reference = theirs && (await open(theirs.host));
  const medians = await medianInTurns(15, mine.exec, reference?.exec ?? null);
  await mine.close();
  await reference?.close();
  return [compared('API exec of true', medians, 6, null)];
}

/** 64-byte lines into the json-file log while somebody is attached who never reads. */
async function logThroughput({ ours, theirs }: Engines): Promise<Line[]> {
  // dockerd holds the container back for a reader that never reads: it is measured without one.
  const measure = async (host: string, megabytes: number, attach: typeof attachWithoutReading) => {
    const api = new Api(host);
    // Made once and copied out: the rate is to be the engine's, not that of yes and head, which take two processors of their own.
    const file = `yes ${'x'.repeat(63)} | head -c 4000000 > /dev/shm/lines`;
    const script = `${file}; for i in $(seq ${megabytes / 4}); do cat /dev/shm/lines; done`;
    const id = await api.create('busybox', ['sh', '-c', script]);
    const stalled = await attach(host, id);
    const start = performance.now();
    await api.start(id);
    await api.call('POST', `/v1.41/containers/${id}/wait`);
    const seconds = (performance.now() - start) / 1000;
    stalled.destroy();
    await api.remove(id);
    api.close();
    return megabytes / seconds;
  };
  const mine = await measure(ours.host, 400, attachWithoutReading);
  const reference = theirs === null ? null : await measure(theirs.host, 40, async () => ({ destroy: () => {} }));
  return [
    {
      what: '64-byte log lines, a reader that never reads',
      ours: `${mine.toFixed(0)} MB/s`,
      theirs: reference === null ? '-' : `${reference.toFixed(0)} MB/s`,
      goal: '≥ 200 MB/s',
      holds: mine >= 200,
    },
  ];
}

function attachWithoutReading(host: string, id: string): Promise<{ destroy(): void }> {
  return new Promise((resolve, reject) => {
    const socket = connect(host.replace(/^unix:\/\//, ''));
    socket.on('error', reject);
    socket.write(
      `POST /v1.41/containers/${id}/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
    );
    socket.once('data', () => {
      socket.pause();
      resolve(socket);
    });
  });
}

async function idleMonitor({ ours }: Engines): Promise<Line[]> {
  const api = new Api(ours.host);
  const id = await api.create('busybox', ['sleep', '1000']);
  await api.start(id);
  await sleep(500);
  const monitors = await monitorsOf(ours.pid);
  const sizes = await Promise.all(monitors.map(pss));
  await api.remove(id);
  api.close();
  const size = Math.max(...sizes);
  return [{ what: 'one idle monitor, PSS', ours: `${size} kB`, theirs: '-', goal: '≤ 150 kB', holds: size <= 150 }];
}

async function memoryOfHundred({ ours }: Engines): Promise<Line[]> {
  const ids = await startMany(ours.host, 100);
  await sleep(1000);
  const sizes = await Promise.all((await family(ours.pid)).map((pid) => pss(pid).catch(() => 0)));
  await removeMany(ours.host, ids);
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1024;
  return [
    {
      what: 'daemon, monitors and 100 running containers, PSS',
      ours: `${megabytes.toFixed(0)} MB`,
      theirs: '-',
      goal: '≤ 200 MB',
      holds: megabytes <= 200,
    },
  ];
}

async function manyLive({ ours }: Engines): Promise<Line[]> {
  const api = new Api(ours.host);
  const alone = medianOf(await timed(50, () => api.cycle()));
  const ids = await startMany(ours.host, 500);
  const crowded = medianOf(await timed(50, () => api.cycle()));
  await removeMany(ours.host, ids);
  api.close();
  const ratio = crowded / alone;
  return [
    {
      what: 'API cycle with 500 live containers',
      ours: `${crowded.toFixed(1)} ms (${alone.toFixed(1)} ms with none)`,
      theirs: '-',
      goal: '≤ 2 times the time with none',
      holds: ratio <= 2,
    },
  ];
}

async function readyWithMany({ ours }: Engines): Promise<Line[]> {
  const api = new Api(ours.host);
  const ids: string[] = [];
  for (let count = 0; count < 500; count++) {
    const id = await api.create('busybox', ['true']);
    await api.start(id);
    ids.push(id);
  }
  await Promise.all(ids.slice(-5).map((id) => api.call('POST', `/v1.41/containers/${id}/wait`)));
  api.close();
  const times: number[] = [];
  for (let round = 0; round < 5; round++) times.push(await ours.restart());
  await removeMany(ours.host, ids);
  const median = medianOf(times);
  return [
    {
      what: 'ready with 500 stopped containers',
      ours: `${median.toFixed(0)} ms`,
      theirs: '-',
      goal: '≤ 400 ms',
      holds: median <= 400,
    },
  ];
}

async function startMany(host: string, count: number): Promise<string[]> {
  const api = new Api(host);
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const id = await api.create('busybox', ['sleep', '100000']);
    await api.start(id);
    ids.push(id);
  }
  api.close();
  return ids;
}

async function removeMany(host: string, ids: readonly string[]): Promise<void> {
  const api = new Api(host);
  for (const id of ids) await api.remove(id);
  api.close();
}

async function monitorsOf(daemon: number): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await family(daemon)) {
    if (pid !== daemon && (await commandOf(pid)).startsWith('gantry-init run')) found.push(pid);
  }
  return found;
}

function compared(
  what: string,
  { ours, theirs }: { readonly ours: number; readonly theirs: number | null },
  goalMs: number,
  goalRatio: number | null,
): Line {
  const ratio = theirs === null ? null : theirs / ours;
  return {
    what,
    ours: `${ours.toFixed(1)} ms`,
    theirs: theirs === null ? '-' : `${theirs.toFixed(1)} ms (${(ratio ?? 0).toFixed(1)} times)`,
    goal: goalRatio === null ? `≤ ${goalMs} ms` : `≤ ${goalMs} ms, ≥ ${goalRatio} times faster`,
    holds: ours <= goalMs && (goalRatio === null || ratio === null || ratio >= goalRatio),
  };
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const lines: Line[] = [];
  try {
    process.stdout.write(`${await machineLine()}\n`);
    const archive = await makeArchive(folder);
    await using disk = await freshDisk(folder, 16);
    await using ours = await startGantryd([], disk.path);
    await using theirs = dockerdIsInstalled() ? await startDockerd(disk.path) : null;
    for (const host of [ours.host, theirs?.host]) {
      if (host !== undefined) await execa('docker', ['-H', host, 'load', '-q', '-i', archive]);
    }
    for (const [name, measure] of MEASUREMENTS) {
      if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
      for (const line of await measure({ ours, theirs })) {
        lines.push(line);
        print(line);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const missed = lines.filter((line) => !line.holds);
  process.stdout.write(`\n${lines.length - missed.length} of ${lines.length} goals are met\n`);
  process.exitCode = missed.length > 0 ? 1 : 0;
}

function print({ what, ours, theirs, goal, holds }: Line): void {
  process.stdout.write(`${holds ? 'met   ' : 'MISSED'}  ${what}: ${ours}; dockerd ${theirs}; goal ${goal}\n`);
}

await main();
