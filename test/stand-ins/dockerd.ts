import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** Debian's dockerd beside ours: the engine that clients were written for. Own folders and socket, no bridge, no rules. */
export interface ReferenceEngine extends AsyncDisposable {
  /** `unix:///…` */
  readonly host: string;
}

export function dockerdIsInstalled(): boolean {
  return ['dockerd', 'containerd', 'runc'].every((program) =>
    (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program))),
  );
}

export async function startDockerd(within = '/tmp'): Promise<ReferenceEngine> {
  const folder = await mkdtemp(join(within, 'dockerd-'));
  const socket = join(folder, 'docker.sock');
  const log = await open(join(folder, 'log'), 'w');
  const daemon = spawn(
    'dockerd',
    [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run'), '-p', join(folder, 'pid')],
      ...['-H', `unix://${socket}`, '--bridge=none', '--iptables=false', '--shutdown-timeout', '3'],
    ],
    { stdio: ['ignore', log.fd, log.fd] },
  );
  await log.close();
  await answers(socket, daemon);
  return {
    host: `unix://${socket}`,
    [Symbol.asyncDispose]: async () => {
      daemon.kill('SIGTERM');
      await ended(daemon);
      await unmountBelow(folder);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function answers(socket: string, daemon: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (daemon.exitCode !== null) throw new Error(`dockerd ended with ${daemon.exitCode}`);
    if (await canConnect(socket)) return;
    await sleep(100);
  }
  throw new Error('dockerd did not get ready');
}

function canConnect(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.on('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
}

function ended(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return resolve();
    daemon.once('exit', () => resolve());
  });
}

/** dockerd leaves its namespace files mounted. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  for (const [, target] of mounts.matchAll(/^\S+ (\S+)/gm)) {
    if (target?.startsWith(`${folder}/`)) await execa('umount', ['-l', target]);
  }
}
