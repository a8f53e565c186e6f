import type { Duplex, Readable } from 'node:stream';
import { type JobEnd, jobEnd } from '../api/job-end.ts';
import { FrameReader, JOB_END, MULTIPLEXED_STREAM, STDERR, STDOUT } from '../api/streams.ts';
import type { Http } from './http.ts';
import { print, type Terminal } from './terminal.ts';

export interface JobCall {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: object;
  /** Sent to the job; null: it gets none. */
  readonly stdin: Readable | null;
}

/** Runs a job in the daemon, its streams on `terminal`. Fails with DaemonError when it is refused before it starts. */
export async function runJob(http: Http, call: JobCall, terminal: Terminal): Promise<JobEnd> {
  const request = {
    method: 'POST',
    path: `/jobs/${encodeURIComponent(call.name)}`,
    headers: { 'Content-Type': 'application/json', Accept: MULTIPLEXED_STREAM },
    body: JSON.stringify({ args: call.args, env: call.env }),
  } as const;
  if (call.stdin === null) return await follow(await http.stream(request), terminal);
  const connection = await http.upgrade(request);
  return await talk(connection, call.stdin, terminal);
}

/** Both ways at once. The job may end before its stdin does. */
async function talk(connection: Duplex, stdin: Readable, terminal: Terminal): Promise<JobEnd> {
  stdin.on('error', () => connection.end());
  stdin.pipe(connection);
  try {
    return await follow(connection, terminal);
  } finally {
    stdin.unpipe(connection);
    stdin.pause();
    connection.destroy();
  }
}

async function follow(stream: Readable, terminal: Terminal): Promise<JobEnd> {
  const reader = new FrameReader();
  for await (const chunk of stream) {
    for (const { type, payload } of reader.push(chunk)) {
      if (type === STDOUT) await print(terminal.stdout, payload);
      else if (type === STDERR) await print(terminal.stderr, payload);
      else if (type === JOB_END) return jobEnd(JSON.parse(payload.toString()), 'end');
    }
  }
  throw new Error('the connection to the daemon was lost before the job ended');
}
