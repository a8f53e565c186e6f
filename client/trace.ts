/** `gantry trace`: what happens in the daemon, as it happens, or what happened in one finished request. */
import type { Readable } from 'node:stream';
import { type TraceEvent, tracedRequest, traceEvent } from '../api/trace.ts';
import { integer, list, number, object, optional, text } from '../std/decode.ts';
import type { Http } from './http.ts';
import { print, type Terminal } from './terminal.ts';
import { durationOf, shortened, treeOf } from './trace-tree.ts';

const summary = list(
  object({
    id: integer,
    name: optional(text, ''),
    args: optional(list(optional(text, '')), []),
    at: optional(number, 0),
    ns: optional(number, 0),
    status: optional(integer, 0),
    error: optional(text, ''),
  }),
);

/** One line a request that is kept, the newest first. */
export async function listRequests(http: Http, terminal: Terminal): Promise<number> {
  for (const { id, name, args, at, ns, status, error } of summary(await http.json('/jobs/trace'), 'trace')) {
    const how = status === 0 ? 'OK' : `ERR (${status}) ${error}`;
    await print(
      terminal.stdout,
      `${String(id).padStart(6)}  ${clock(at)}  ${durationOf(ns).padStart(9)}  ${shortened(`${name}(${args.join(', ')})`)} = ${how}\n`,
    );
  }
  return 0;
}

/** The tree of a request; of the last one that is done when `id` is null. Fails with DaemonError when it is not known. */
export async function showRequest(http: Http, terminal: Terminal, id: string | null, isJSON: boolean): Promise<number> {
  const wanted = id ?? String(summary(await http.json('/jobs/trace'), 'trace')[0]?.id ?? '');
  if (wanted === '') {
    await print(terminal.stderr, 'no request is done yet\n');
    return 1;
  }
  const answer = await http.json(`/jobs/trace/${encodeURIComponent(wanted)}`);
  const shown = isJSON ? JSON.stringify(answer, null, 2) : treeOf(tracedRequest(answer, 'trace'));
  await print(terminal.stdout, `${shown}\n`);
  return 0;
}

/** Follows until the daemon ends. `job`: only that top-level job, by name or id; '' for all. */
export async function follow(http: Http, terminal: Terminal, job: string, isJSON: boolean): Promise<number> {
  const query = job === '' ? '' : `?job=${encodeURIComponent(job)}`;
  const stream = await http.stream({ method: 'GET', path: `/jobs/events${query}` });
  const depths = new Map<number, { depth: number; title: string }>();
  for await (const data of dataOf(stream)) {
    const line = isJSON ? data : lineOf(data, depths);
    if (line !== null) await print(terminal.stdout, `${line}\n`);
  }
  return 0;
}

/** The `data:` of server-sent events. */
async function* dataOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length);
  }
}

function lineOf(data: string, depths: Map<number, { depth: number; title: string }>): string | null {
  const value: unknown = JSON.parse(data);
  const { kind, events } = object({ kind: text, events: optional(integer, 0) })(value, 'event');
  if (kind === 'missed') return `… ${events} events were missed`;
  return shortened(eventLine(traceEvent(value, 'event'), depths));
}

function eventLine(event: TraceEvent, depths: Map<number, { depth: number; title: string }>): string {
  if (event.kind === 'job') {
    const depth = event.parent === null ? 0 : (depths.get(event.parent)?.depth ?? -1) + 1;
    const title = `${event.name}(${event.args.join(', ')})`;
    depths.set(event.id, { depth, title });
    return `${clock(event.at)} ${'  '.repeat(depth)}+${title}  #${event.id}`;
  }
  const owner = depths.get((event.kind === 'job-end' ? event.id : event.job) ?? -1);
  const indent = '  '.repeat(Math.max(0, (owner?.depth ?? -1) + (event.kind === 'job-end' ? 0 : 1)));
  if (event.kind === 'job-end') {
    depths.delete(event.id);
    const how = event.status === 0 ? 'OK (0)' : `ERR (${event.status}) ${event.error ?? ''}`;
    return `${CLOCK_SPACE} ${indent}-${owner?.title ?? `#${event.id}`} = ${how}  ${durationOf(event.ns)}`;
  }
  return `${CLOCK_SPACE} ${indent}${wordsOf(event)}`;
}

function wordsOf(event: Exclude<TraceEvent, { kind: 'job' | 'job-end' }>): string {
  if (event.kind === 'driver') {
    return `${event.driver} ${event.method}  ${durationOf(event.ns)}${event.error === null ? '' : `  ${event.error}`}`;
  }
  const place = `${event.index + 1}/${event.total}`;
  return `  ${place} ${event.detail || event.op}  ${durationOf(event.ns)}  ${event.errno ?? ''}`.trimEnd();
}

const CLOCK_SPACE = ' '.repeat('00:00:00.000'.length);

/** Time of day, in UTC as the daemon's log has it. */
function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
