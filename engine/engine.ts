import { Readable } from 'node:stream';
import { Conflict, NoSuchJob, Unavailable } from '../api/errors.ts';
import { type Handler, Job, type JobTableOf } from './job.ts';

export interface RunOptions {
  /** Raised when the caller goes away. */
  readonly signal?: AbortSignal;
  readonly stdin?: Readable;
}

/**
 * The engine is a registry of named handlers and the jobs now running. It knows nothing of containers: what it can do
 * is the table it is given.
 */
export class Engine<Table extends JobTableOf<Table>> {
  readonly #handlers = new Map<PropertyKey, unknown>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  #jobs = 0;
  #isShutDown = false;

  register<Name extends keyof Table & string>(name: Name, handler: Handler<Table[Name], Table>): void {
    if (this.#handlers.has(name)) throw new Conflict(`job ${name} is already registered`);
    this.#handlers.set(name, handler);
  }

  /** Makes a job, to be run when its streams are in place. */
  job<Name extends keyof Table & string>(
    name: Name,
    args: Table[Name]['args'],
    env: Table[Name]['env'],
    options: RunOptions = {},
  ): Job<Table[Name], Table> {
    if (this.#isShutDown) throw new Unavailable('engine is shut down');
    const handler = this.#handlers.get(name) as Handler<Table[Name], Table> | undefined;
    if (handler === undefined) throw new NoSuchJob(name);
    return new Job<Table[Name], Table>({
      engine: this,
      id: ++this.#jobs,
      parent: null,
      name,
      args,
      env,
      handler: (job) => this.#track(handler(job)),
      signal: options.signal ? AbortSignal.any([options.signal, this.#stop.signal]) : this.#stop.signal,
      stdin: options.stdin ?? Readable.from([]),
    });
  }

  /** Makes and runs a job whose output nobody reads. */
  run<Name extends keyof Table & string>(
    name: Name,
    args: Table[Name]['args'],
    env: Table[Name]['env'],
    options?: RunOptions,
  ): Promise<Table[Name]['result']> {
    return this.job(name, args, env, options).run();
  }

  async #track<Result>(running: Promise<Result>): Promise<Result> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}
