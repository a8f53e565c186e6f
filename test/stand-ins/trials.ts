import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { filters } from '../../api/filters.ts';
import type { JobTable } from '../../api/jobs.ts';
import { Engine } from '../../engine/engine.ts';
import { ApiServer } from '../../server/api-server.ts';
import { apiRoutes } from '../../server/routes.ts';
import { flag, nullable, object, optional, text } from '../../std/decode.ts';

export interface TrialServer extends AsyncDisposable {
  readonly path: string;
  /** `unix://…` */
  readonly host: string;
}

const none = object({});

/**
 * An engine in which some rows of the table do what needs no daemon: `load` copies stdin to stdout and has a word for
 * stderr, `info` fails as a bug does, `events` writes without end.
 */
export function trialEngine(): Engine<JobTable> {
  const engine = new Engine<JobTable>();
  engine.register('load', {
    summary: 'Copies',
    usage: '',
    env: object({ quiet: optional(flag, false) }),
    stdin: 'bytes',
    stdout: 'the same',
    aliases: ['cat'],
    handler: async (job) => {
      let bytes = 0;
      for await (const chunk of job.stdin) {
        bytes += chunk.length;
        await job.stdout.write(Buffer.from(chunk));
      }
      if (!job.env.quiet) await job.stderr.write('done\n');
      return { images: [String(bytes)] };
    },
  });
  engine.register('info', {
    summary: 'Fails',
    usage: '',
    env: none,
    handler: async (job) => {
      await job.stdout.write('so far so good\n');
      throw new TypeError('oh no');
    },
  });
  engine.register('events', {
    summary: 'Writes without end',
    usage: '',
    env: object({ since: nullable(text), until: nullable(text), filters }),
    stdout: 'zeros',
    handler: async (job) => {
      const zeros = Buffer.alloc(64 * 1024);
      job.accept(null);
      while (!job.signal.aborted) await job.stdout.write(zeros);
      return null;
    },
  });
  return engine;
}

/** The real server and all its routes before an engine, on a socket of its own. */
export async function serving(engine: Engine<JobTable>): Promise<TrialServer> {
  const folder = await mkdtemp('/tmp/g-');
  const path = join(folder, 'sock');
  const api = new ApiServer(apiRoutes(engine));
  api.accept();
  const transport = { kind: 'unix', hosts: null } as const;
  const server = createServer(api.onRequest(transport)).on('upgrade', api.onUpgrade(transport));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    host: `unix://${path}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
