import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureDir, remove } from 'fs-extra/esm';

/** A real gantryd on folders of its own; disposing ends it and everything that it ran, also after a failure. */
export interface TestDaemon extends AsyncDisposable {
  /** `unix:///…` */
  readonly host: string;
  readonly folder: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  /** Of all container cgroups, below the root of each hierarchy. */
  readonly cgroupParent: string;
  readonly pid: number;
  /** What it wrote to stderr so far. */
  log(): string;
  /** Kill -9: containers go on. */
  kill(): Promise<void>;
  /** Starts it again. Ms from the start of the process to the first answer. */
  start(): Promise<number>;
  /** kill and start. */
  restart(): Promise<number>;
}

/**
 * `within`: the folder to make its folder in; short, for the addresses of sockets. `inherited`: the descriptor of a
 * listening socket that is handed over as a service manager does it, sd_listen_fds(3).
 */
export async function startGantryd(
  flags: readonly string[] = [],
  within = '/tmp',
  inherited: number | null = null,
): Promise<TestDaemon> {
  const folder = await mkdtemp(join(within, 'g-'));
  const daemon = new Gantryd(folder, flags, inherited);
  try {
    await daemon.start();
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}

class Gantryd implements TestDaemon {
  readonly host: string;
  readonly folder: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly cgroupParent: string;
  readonly #flags: readonly string[];
  readonly #inherited: number | null;
  #process: ChildProcess | null = null;

  constructor(folder: string, flags: readonly string[], inherited: number | null) {
    this.folder = folder;
    this.dataRoot = join(folder, 'data');
    this.execRoot = join(folder, 'run');
    this.cgroupParent = `/gantry-${basename(folder).slice('g-'.length)}`;
    this.host = `unix://${join(folder, 'sock')}`;
    this.#flags = flags;
    this.#inherited = inherited;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  log(): string {
    return existsSync(join(this.folder, 'log')) ? readFileSync(join(this.folder, 'log'), 'utf8') : '';
  }

  async start(): Promise<number> {
    await ensureDir(this.folder);
    const log = await open(join(this.folder, 'log'), 'a');
    const begin = performance.now();
    const inherited = this.#inherited === null ? [] : [this.#inherited];
    this.#process = spawn(
      'sh',
      [
        // Whom the sockets are for is known only in the process itself.
        ...['-c', `LISTEN_FDS=${inherited.length} LISTEN_PID=$$ exec "$@"`, 'sh', process.execPath],
        ...['dist/bin/gantryd.js', '--data-root', this.dataRoot, '--exec-root', this.execRoot, '-H', this.host],
        ...['--cgroup-parent', this.cgroupParent, '--pidfile', join(this.folder, 'pid'), ...this.#flags],
      ],
      { stdio: ['ignore', log.fd, log.fd, ...inherited] },
    );
    await log.close();
    await this.#ready(this.#process);
    return performance.now() - begin;
  }

  async kill(): Promise<void> {
    const daemon = this.#process;
    this.#process = null;
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGKILL');
    await ended;
  }

  async restart(): Promise<number> {
    await this.kill();
    return this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await thaw(this.cgroupParent);
    for (const pid of await this.#processes()) killIfThere(pid);
    for (let tries = 0; tries < 100 && (await this.#processes()).length > 0; tries++) await sleep(20);
    await removeCgroups(this.cgroupParent);
    await remove(this.folder);
  }

  async #ready(daemon: ChildProcess): Promise<void> {
    for (let tries = 0; tries < 6000; tries++) {
      if (daemon.exitCode !== null) throw new Error(`gantryd ended with ${daemon.exitCode}: ${this.log()}`);
      if (await pings(this.host)) return;
      await sleep(5);
    }
    throw new Error(`gantryd did not get ready: ${this.log()}`);
  }

  /** Monitors name their folder in the exec-root; what runs in the containers stands in our cgroups. */
  async #processes(): Promise<number[]> {
    const pids = new Set<number>();
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      if (command.includes(this.execRoot) && Number(entry) !== process.pid) pids.add(Number(entry));
      const groups = await readFile(`/proc/${entry}/cgroup`, 'utf8').catch(() => '');
      if (groups.includes(`${this.cgroupParent}/`)) pids.add(Number(entry));
    }
    return [...pids];
  }
}

function pings(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ socketPath: host.slice('unix://'.length), path: '/_ping', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on('error', () => resolve(false));
    sent.end();
  });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** What a failed test left paused: on v1 not even SIGKILL ends what is frozen. */
async function thaw(parent: string): Promise<void> {
  const roots = ['/sys/fs/cgroup', ...(await readdir('/sys/fs/cgroup')).map((name) => join('/sys/fs/cgroup', name))];
  for (const root of roots) {
    for (const group of await readdir(join(root, parent)).catch(() => [])) {
      await writeFile(join(root, parent, group, 'freezer.state'), 'THAWED', { flag: 'r+' }).catch(() => {});
      await writeFile(join(root, parent, group, 'cgroup.freeze'), '0', { flag: 'r+' }).catch(() => {});
    }
  }
}

/** Of every hierarchy: the containers' groups, then their parent. */
export async function removeCgroups(parent: string): Promise<void> {
  const roots = ['/sys/fs/cgroup', ...(await readdir('/sys/fs/cgroup')).map((name) => join('/sys/fs/cgroup', name))];
  for (const root of roots) await removeGroup(join(root, parent));
}

async function removeGroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(path, entry.name));
  await rmdir(path).catch(() => {});
}
