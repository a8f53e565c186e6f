import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from './row.ts';

/** What a user saw. */
export interface Seen {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** One engine, seen through the official CLI. */
export class CliSession implements AsyncDisposable {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #config: string;

  private constructor(host: string, config: string, archive: string, environment: NodeJS.ProcessEnv) {
    this.#config = config;
    this.#environment = {
      PATH: process.env['PATH'],
      HOME: '/root',
      LANG: 'C.UTF-8',
      TERM: 'xterm',
      TZ: 'UTC',
      DOCKER_HOST: host,
      DOCKER_CONFIG: config,
      ARCHIVE: archive,
      ...environment,
    };
  }

  /** `archive` holds the images that the rows use; it is loaded first. */
  static async open(host: string, archive: string, environment: NodeJS.ProcessEnv = {}): Promise<CliSession> {
    const session = new CliSession(host, await mkdtemp(join(tmpdir(), 'cli-')), archive, environment);
    const loaded = await session.sh('docker load -q -i "$ARCHIVE"');
    if (loaded.code !== 0) throw new Error(`docker load: ${loaded.stderr}`);
    return session;
  }

  /** Runs a row, tells what it showed with ids and times aside, and removes what it left. */
  async run(row: Row): Promise<Seen> {
    try {
      return without(await this.sh(row.script));
    } finally {
      await this.sh(
        'ids=$(docker ps -aq); test -z "$ids" || docker unpause $ids; test -z "$ids" || docker rm -f -v $ids; docker load -q -i "$ARCHIVE"',
      );
    }
  }

  sh(script: string): Promise<Seen> {
    return new Promise((resolve, reject) => {
      const shell = spawn('bash', ['-c', script], {
        env: this.#environment,
        stdio: ['ignore', 'pipe', 'pipe'],
        cwd: '/tmp',
        detached: true,
      });
      const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
      shell.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      shell.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      // With all that it left in the background, which would keep its pipes open.
      const timer = setTimeout(() => shell.pid !== undefined && process.kill(-shell.pid, 'SIGKILL'), 60_000);
      shell.on('error', reject);
      shell.on('close', (code) => {
        clearTimeout(timer);
        resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#config, { recursive: true, force: true });
  }
}

/** Ids, digests, times and what else differs from run to run and from machine to machine, by name. */
function without(seen: Seen): Seen {
  const mask = (text: string) =>
    text
      .replace(/\bsha256:[0-9a-f]{64}\b/g, '<digest>')
      .replace(/\b[0-9a-f]{64}\b/g, '<id>')
      .replace(/(?<![:/<\w])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12}(?![\w:])/g, '<id>')
      .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>')
      .replace(/\b(\d+|About an?|Less than a) (second|minute|hour|day|week|month|year)s?( ago)?\b/g, '<while>')
      .replace(/\/tmp\/(tmp\.\w+|dockerd-\w+|g-\w+)/g, '<tmp>')
      .replace(/\b[a-z]+_[a-z]+(?=\s*$)/gm, '<name>')
      .replace(/ {2,}/g, '  ');
  return { stdout: mask(seen.stdout), stderr: mask(seen.stderr), code: seen.code };
}
