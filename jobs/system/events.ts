import { InvalidParameter, Unavailable } from '../../api/errors.ts';
import { parseInstant } from '../../api/instant.ts';
import type { EngineEvent } from '../../api/system.ts';
import { toJSON } from '../../std/json.ts';
import { type Nanos, now } from '../../std/timestamp.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { wants } from './event-filter.ts';

/** Events that may wait for a reader who does not keep up. */
const MAX_WAITING = 4096;
/** Longest time setTimeout can wait for, in ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Deps = Pick<Daemon, 'events'>;

/**
 * events — what happens, as it happens; with since or until first what has happened.
 *
 * reads    events
 * streams  stdout: one JSON object a line, with the fields `status`, `id` and `from` that clients before 1.52 read
 * fails    InvalidParameter · Unavailable (the reader is too slow)
 * source   Docker Engine API, GET /events
 */
export const events =
  ({ events: store }: Deps): JobHandler<'events'> =>
  async (job) => {
    const { since, until } = range(job.env);
    const isWanted = (event: EngineEvent) => wants(job.env.filters, event);
    const past = since === null && until === null ? [] : store.past().filter((event) => isWithin(event, since, until));
    const waiting = past.filter(isWanted);
    const isOver = until !== null && until <= now();
    const queue = new Queue(waiting);
    const stop = isOver ? () => {} : store.listen((event) => isWanted(event) && queue.push(event));
    const timer = isOver ? queue.end() : endAt(until, queue);
    job.signal.addEventListener('abort', () => queue.end(), { once: true });
    job.accept(null);
    try {
      for (let event = await queue.next(); event !== null; event = await queue.next()) {
        await job.stdout.write(`${line(event)}\n`);
      }
    } finally {
      stop();
      clearTimeout(timer);
    }
    return null;
  };

/** Events on their way to one reader. */
class Queue {
  readonly #waiting: EngineEvent[];
  #isEnded = false;
  #isOverrun = false;
  #wake: () => void = () => {};

  constructor(first: readonly EngineEvent[]) {
    this.#waiting = [...first];
  }

  push(event: EngineEvent): void {
    if (this.#waiting.length >= MAX_WAITING) this.#isOverrun = true;
    else this.#waiting.push(event);
    this.#wake();
  }

  end(): undefined {
    this.#isEnded = true;
    this.#wake();
  }

  /** The next one, or null at the end. */
  async next(): Promise<EngineEvent | null> {
    for (;;) {
      if (this.#isOverrun) throw new Unavailable(`the reader of these events is too slow: ${MAX_WAITING} of them wait`);
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      if (this.#isEnded) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function range(env: { since: string | null; until: string | null }): { since: Nanos | null; until: Nanos | null } {
  const instant = now();
  const since = parseInstant(env.since ?? '', instant);
  const until = parseInstant(env.until ?? '', instant);
  if (since !== null && until !== null && since > until) {
    const [from, to] = [since, until].map((each) => each / 1_000_000_000n);
    throw new InvalidParameter(`\`since\` time (${from}) cannot be after \`until\` time (${to})`);
  }
  return { since, until };
}

/** As in dockerd an `until` of 0 is no bound; what it asks for is over all the same. */
function isWithin(event: EngineEvent, since: Nanos | null, until: Nanos | null): boolean {
  const isBeforeEnd = until === null || until === 0n || event.timeNano <= until;
  return isBeforeEnd && (since === null || event.timeNano >= since);
}

function endAt(until: Nanos | null, queue: Queue): NodeJS.Timeout | undefined {
  if (until === null) return undefined;
  const ms = Number((until - now()) / 1_000_000n);
  return setTimeout(() => queue.end(), Math.min(ms, LONGEST_TIMER_MS));
}

/** In the order in which dockerd writes the fields. */
function line(event: EngineEvent): string {
  const { Type, Action, Actor, scope, timeNano } = event;
  const time = Number(timeNano / 1_000_000_000n);
  const Attributes = Object.fromEntries(Object.entries(Actor.Attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
  return toJSON({ ...legacy(event), Type, Action, Actor: { ID: Actor.ID, Attributes }, scope, time, timeNano });
}

function legacy({ Type, Action, Actor }: EngineEvent): Readonly<Record<string, string>> {
  if (Type === 'image') return { status: Action, id: Actor.ID };
  if (Type !== 'container') return {};
  return { status: Action, id: Actor.ID, from: Actor.Attributes['image'] ?? '' };
}
