import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  CHANNEL,
  type DriverCall,
  type JobBegan,
  type JobEnded,
  type KernelOperation,
  type ProgramRan,
  type TracedRequest,
  type TraceEvent,
} from '../api/trace.ts';

/** Finished requests that are kept. */
const MAX_REQUESTS = 256;
/** Events kept of one request: a build or a stream of events must not grow without end. */
const MAX_EVENTS = 2_000;

/** A program's operations stay as they came until somebody looks. */
type Kept = TraceEvent | (ProgramRan & { readonly job: number | null });

interface KeptRequest {
  readonly id: number;
  readonly events: Kept[];
  dropped: number;
}

/** `root`: the top-level job, and its name; null for what no job did. */
export type Watcher = (event: TraceEvent, root: Root | null) => void;
export interface Root {
  readonly id: number;
  readonly name: string;
}

/**
 * Listens on the channels of `api/trace.ts`, knows the job that a driver call or an operation belongs to from
 * AsyncLocalStorage, keeps the last finished top-level jobs with all that happened under them, and tells whoever watches.
 * Costs a few microseconds a job (bench/jobs.ts), and nothing before `start`.
 */
export class Trace {
  readonly #current = new AsyncLocalStorage<unknown>();
  /** By the id of their top-level job. */
  readonly #open = new Map<number, KeptRequest>();
  /** Of every running job, the top-level one. */
  readonly #roots = new Map<number, Root>();
  readonly #finished = new Map<number, KeptRequest>();
  readonly #watchers = new Set<Watcher>();

  /** Listens until disposed of. */
  start(): Disposable {
    const jobs = channel(CHANNEL.job);
    const onJob = (message: unknown) => this.#onJob(message);
    const onCall = (message: unknown) => this.#onCall(message);
    jobs.bindStore(this.#current, idOf);
    subscribe(CHANNEL.job, onJob);
    subscribe(CHANNEL.driver, onCall);
    subscribe(CHANNEL.operation, onCall);
    return {
      [Symbol.dispose]: () => {
        jobs.unbindStore(this.#current);
        unsubscribe(CHANNEL.job, onJob);
        unsubscribe(CHANNEL.driver, onCall);
        unsubscribe(CHANNEL.operation, onCall);
        this.#current.disable();
      },
    };
  }

  /** Calls `watcher` for each event as it happens. Returns how to stop that. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Finished top-level jobs, the newest first, each with its jobs and driver calls. */
  recent(): TracedRequest[] {
    const kept = [...this.#finished.values()].reverse();
    return kept.map(({ events, ...request }) => ({ ...request, events: events.filter((event) => !isProgram(event)) }));
  }

  /** A finished top-level job, or one that still runs, as far as it has come; null when it is not known any more. */
  find(id: number): TracedRequest | null {
    const kept = this.#open.get(id) ?? this.#finished.get(id);
    return kept === undefined ? null : { ...kept, events: kept.events.flatMap(inWords) };
  }

  #onJob(message: unknown): void {
    if (isJobBegan(message)) {
      const root = (message.parent === null ? undefined : this.#roots.get(message.parent)) ?? message;
      this.#roots.set(message.id, { id: root.id, name: root.name });
      if (root === message) this.#open.set(message.id, { id: message.id, events: [], dropped: 0 });
      this.#add(message, this.#roots.get(message.id) ?? null);
    } else if (isJobEnded(message)) {
      const root = this.#roots.get(message.id) ?? null;
      this.#roots.delete(message.id);
      this.#add(message, root);
      if (root?.id === message.id) this.#finish(root);
    }
  }

  #onCall(message: unknown): void {
    if (!isCall(message) && !isProgram(message)) return;
    const job = this.#current.getStore();
    const id = typeof job === 'number' ? job : null;
    this.#add({ ...message, job: id }, id === null ? null : (this.#roots.get(id) ?? null));
  }

  #add(event: Kept, root: Root | null): void {
    const request = root === null ? undefined : this.#open.get(root.id);
    if (request !== undefined) {
      if (request.events.length < MAX_EVENTS || isEndOf(request, event)) request.events.push(event);
      else request.dropped++;
    }
    if (this.#watchers.size === 0) return;
    for (const each of inWords(event)) for (const watcher of this.#watchers) watcher(each, root);
  }

  #finish({ id }: Root): void {
    const request = this.#open.get(id);
    if (request === undefined) return;
    this.#open.delete(id);
    this.#finished.set(id, request);
    for (const oldest of this.#finished.keys()) {
      if (this.#finished.size <= MAX_REQUESTS) break;
      this.#finished.delete(oldest);
    }
  }
}

function inWords(event: Kept): readonly TraceEvent[] {
  if (event.kind !== 'program') return [event];
  return event.operations().map((operation) => ({ ...operation, job: event.job }));
}

function isEndOf(request: KeptRequest, event: Kept): boolean {
  return event.kind === 'job-end' && event.id === request.id;
}

function idOf(message: unknown): unknown {
  return isJobBegan(message) ? message.id : null;
}

function isKind(message: unknown, ...kinds: readonly string[]): boolean {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false;
  return typeof message.kind === 'string' && kinds.includes(message.kind);
}
const isJobBegan = (message: unknown): message is JobBegan => isKind(message, 'job');
const isJobEnded = (message: unknown): message is JobEnded => isKind(message, 'job-end');
const isCall = (message: unknown): message is DriverCall | KernelOperation => isKind(message, 'driver', 'operation');
const isProgram = <T>(message: T): message is Extract<T, ProgramRan> | (T & ProgramRan) => isKind(message, 'program');
