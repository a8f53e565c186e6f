/** What happens in the engine: as it happens, and of requests that are done (docs/jobs.md). */
import { NotFound } from '../../api/errors.ts';
import type { JobTable } from '../../api/jobs.ts';
import type { TracedRequest, TraceEvent } from '../../api/trace.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Root } from '../../engine/trace.ts';
import { Outflow } from '../outflow.ts';
import type { Answer, ApiRequest, Route } from '../route.ts';

type RunningEngine = Engine<JobTable>;

export const traceRoutes = (engine: RunningEngine): readonly Route[] => [
  { method: 'GET', path: '/jobs/events', handle: async (request) => watch(engine, request) },
  {
    method: 'GET',
    path: '/jobs/trace',
    handle: async () => ({ status: 200, json: engine.trace.recent().map(summaryOf) }),
  },
  { method: 'GET', path: '/jobs/trace/:id', handle: async ({ params }) => find(engine, params.get('id')) },
];

/** Server-sent events, of one top-level job where the query says so: `?job=` its name or id. */
function watch(engine: RunningEngine, { query, signal }: ApiRequest): Answer {
  const out = new Outflow();
  const wanted = query.text('job');
  const feed = new Feed(out);
  const stop = engine.trace.watch((event, root) => {
    if (wanted === '' || isWanted(root, wanted)) feed.send(event);
  });
  signal.addEventListener('abort', stop, { once: true });
  void out.closed.then(stop);
  feed.greet();
  return { status: 200, contentType: 'text/event-stream', headers: { 'Cache-Control': 'no-cache' }, out };
}

function isWanted(root: Root | null, wanted: string): boolean {
  return root !== null && (root.name === wanted || String(root.id) === wanted);
}

/** Events that may wait for a reader: some thousand kernel operations come in one go. */
const MAX_WAITING = 10_000;

/** A reader that does not keep up is told how much it missed; nothing waits for it. */
class Feed {
  readonly #out: Outflow;
  #waiting: string[] = [];
  #isFull = false;
  #missed = 0;

  constructor(out: Outflow) {
    this.#out = out;
  }

  /** Something at once, so that whoever reads knows that it is watching. */
  greet(): void {
    this.#write(': watching\n\n');
  }

  send(event: TraceEvent): void {
    if (this.#isFull && this.#waiting.length >= MAX_WAITING) this.#missed++;
    else if (this.#isFull) this.#waiting.push(textOf(event.kind, event));
    else this.#write(textOf(event.kind, event));
  }

  #write(text: string): void {
    if (this.#out.write(Buffer.from(text))) return;
    this.#isFull = true;
    void this.#out.drained().then(() => this.#goOn());
  }

  #goOn(): void {
    if (this.#missed > 0) this.#waiting.push(textOf('missed', { kind: 'missed', events: this.#missed }));
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#missed = 0;
    this.#isFull = false;
    if (text !== '') this.#write(text);
  }
}

function textOf(kind: string, data: unknown): string {
  return `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}

function find(engine: RunningEngine, id: string): Answer {
  const request = engine.trace.find(Number(id));
  if (request === null) throw new NotFound(`No such job in the trace: ${id}`);
  return { status: 200, json: request };
}

/** One row of the list: the top-level job, and how it ended. */
function summaryOf({ id, events }: TracedRequest): unknown {
  const first = events[0];
  const last = events.at(-1);
  const began = first?.kind === 'job' ? { name: first.name, args: first.args, at: first.at } : {};
  const ended = last?.kind === 'job-end' ? { ns: last.ns, status: last.status, error: last.error } : {};
  return { id, ...began, ...ended };
}
