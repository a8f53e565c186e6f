import { channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import createDebug from 'debug';
import type { JobContract } from '../api/contract.ts';
import { Cancelled, Conflict, EngineError, NoSuchJob, SystemFailure } from '../api/errors.ts';
import { CHANNEL, type JobBegan, type JobEnded } from '../api/trace.ts';
import { messageOf } from '../std/thrown.ts';
import type { LivingJob } from './lifetime.ts';
import { Output } from './output.ts';

const debug = createDebug('gantry:engine');
const warn = createDebug('gantry:warn:engine');
const trace = channel(CHANNEL.job);

/** What a job takes and what it gives back: a row of the job table. */
export interface Signature {
  readonly args: readonly (string | undefined)[];
  readonly env: object;
  readonly result: unknown;
  readonly accept?: unknown;
}
export type Accepted<S extends Signature> = S extends { accept: infer A } ? A : null;
export type JobTableOf<Table> = { readonly [Name in keyof Table]: Signature };
export type Handler<S extends Signature, Table extends JobTableOf<Table>> = (
  job: Job<S, Table>,
) => Promise<S['result']>;

export interface ChildOptions {
  readonly stdin?: Readable;
  /** Where the child's output goes, such as the parent's own `job.stdout`; the child does not close it. */
  readonly stdout?: Output;
  readonly stderr?: Output;
}

/** What a job sees of the engine that runs it. */
export interface Runner<Table extends JobTableOf<Table>> {
  /** All that can be run, sorted by name. */
  contracts(): JobContract[];
  /** For `Job.child`: cancelled when `parent` is, and shown under it. */
  childOf<Name extends keyof Table & string>(
    parent: { readonly id: number; readonly signal: AbortSignal },
    name: Name,
    args: Table[Name]['args'],
    env: Table[Name]['env'],
    options: ChildOptions,
  ): Job<Table[Name], Table>;
}

export interface JobInit<S extends Signature, Table extends JobTableOf<Table>> {
  readonly engine: Runner<Table>;
  /** Tells apart two runs of one job in the log and in the trace. */
  readonly id: number;
  /** The job that ran this one; null at the top. */
  readonly parent: number | null;
  readonly name: string;
  readonly args: S['args'];
  readonly env: S['env'];
  /** Null: there is none of that name, as running it will tell. */
  readonly handler: Handler<S, Table> | null;
  /** Raised when the caller goes away, or the parent is cancelled. */
  readonly signal: AbortSignal | null;
  readonly stdin: Readable | null;
  /** Asked as it starts, told as it has ended. `admit` may refuse by throwing. */
  readonly admit: (job: LivingJob) => void;
  readonly release: (job: LivingJob) => void;
}

/**
 * A job is the unit of work: a Unix process inside the daemon, with name, arguments, environment, three streams and an
 * exit status, run once. Unlike a process it also returns a value.
 */
export class Job<S extends Signature, Table extends JobTableOf<Table>> implements LivingJob {
  readonly id: number;
  readonly parent: number | null;
  readonly name: string;
  readonly args: S['args'];
  readonly env: S['env'];
  /** Raised when the caller goes away, the parent is cancelled, somebody calls `cancel` or the engine stops. */
  readonly signal: AbortSignal;
  /** Progress, logs, archives, a terminal: what the caller wants as it comes. */
  readonly stdout: Output;
  /** The second stream, as a process has it. Nothing is ever parsed out of it. */
  readonly stderr: Output;
  /**
   * Resolves when the handler has accepted: arguments are good and a long answer begins. Rejects when the job fails
   * before that; resolves to null when it ends well without saying so.
   */
  readonly accepted: Promise<Accepted<S> | null>;

  readonly #init: JobInit<S, Table>;
  readonly #controller = new AbortController();
  #stdin: Readable | null;
  #accept: (value: Accepted<S> | null) => void = () => {};
  #refuse: (reason: unknown) => void = () => {};
  #state: 'new' | 'running' | { readonly exitStatus: number } = 'new';

  constructor(init: JobInit<S, Table>) {
    this.#init = init;
    this.id = init.id;
    this.parent = init.parent;
    this.name = init.name;
    this.args = init.args;
    this.env = init.env;
    this.signal = this.#controller.signal;
    this.stdout = new Output(this.signal);
    this.stderr = new Output(this.signal);
    this.#stdin = init.stdin;
    this.accepted = new Promise((resolve, reject) => {
      this.#accept = resolve;
      this.#refuse = reject;
    });
    this.accepted.catch(() => {});
  }

  get engine(): Runner<Table> {
    return this.#init.engine;
  }

  /** Bytes for the job; at its end at once when the caller gave none. It belongs to the caller, who also closes it. */
  get stdin(): Readable {
    this.#stdin ??= Readable.from([]);
    return this.#stdin;
  }

  /** The handler's word that its arguments are good: a server may send its headers now. */
  accept(value: Accepted<S>): void {
    this.#accept(value);
  }

  /** 0 for well, null until it has ended. */
  get exitStatus(): number | null {
    return typeof this.#state === 'object' ? this.#state.exitStatus : null;
  }

  /** Raises the job's signal, and that of its children. */
  cancel(reason: Error = new Cancelled(`${this.name}: cancelled`)): void {
    this.#controller.abort(reason);
  }

  /**
   * Runs the job, once. Rejects with an EngineError always: what a handler throws besides is a bug, told as
   * SystemFailure with its stack in the log, and not the end of the daemon.
   */
  async run(): Promise<S['result']> {
    if (this.#state !== 'new') throw new Conflict(`${this.name}: job has already run`);
    this.#init.admit(this);
    this.#state = 'running';
    const detach = this.#follow(this.#init.signal);
    const startedAt = performance.now();
    if (debug.enabled) debug('+job %s(%s)', this.name, this.args.join(', '));
    try {
      this.signal.throwIfAborted();
      const result = await trace.runStores(this.#began(startedAt), () => this.#handle());
      this.#end(startedAt, null);
      this.#accept(null);
      return result;
    } catch (reason) {
      const error = this.#failure(reason);
      this.#end(startedAt, error);
      this.#refuse(error);
      throw error;
    } finally {
      detach();
      this.stdout.close();
      this.stderr.close();
      this.#init.release(this);
    }
  }

  /**
   * A child job: cancelled when this one is, shown under it. Its output may go into this job's, which it never closes:
   *
   *   await job.child('load', [], { quiet: false }, { stdin, stdout: job.stdout }).run();
   */
  child<Name extends keyof Table & string>(
    name: Name,
    args: Table[Name]['args'],
    env: Table[Name]['env'],
    options: ChildOptions = {},
  ): Job<Table[Name], Table> {
    const child = this.engine.childOf(this, name, args, env, options);
    if (options.stdout !== undefined) child.stdout.add(options.stdout.lend());
    if (options.stderr !== undefined) child.stderr.add(options.stderr.lend());
    return child;
  }

  /** Makes and runs a child job. */
  runChild<Name extends keyof Table & string>(
    name: Name,
    args: Table[Name]['args'],
    env: Table[Name]['env'],
    options?: ChildOptions,
  ): Promise<Table[Name]['result']> {
    return this.child(name, args, env, options).run();
  }

  async #handle(): Promise<S['result']> {
    if (this.#init.handler === null) throw new NoSuchJob(this.name);
    return await this.#init.handler(this);
  }

  /** Lets the caller's signal raise this job's, until the function returned is called. */
  #follow(signal: AbortSignal | null): () => void {
    if (signal === null) return () => {};
    const onAbort = () => this.#controller.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    return () => signal.removeEventListener('abort', onAbort);
  }

  #failure(reason: unknown): EngineError {
    if (reason instanceof EngineError) return reason;
    const isCancelled = reason === this.signal.reason || (reason instanceof Error && reason.name === 'AbortError');
    if (this.signal.aborted && isCancelled) {
      const { reason: why } = this.signal;
      return why instanceof EngineError ? why : new Cancelled(`${this.name}: cancelled`, { cause: why });
    }
    warn('job %s(%s) failed unexpectedly: %O', this.name, this.args.join(', '), reason);
    return new SystemFailure(messageOf(reason), { cause: reason });
  }

  #began(startedAt: number): JobBegan {
    const { id, parent, name, args } = this;
    return { kind: 'job', id, parent, name, args, at: performance.timeOrigin + startedAt };
  }

  #end(startedAt: number, error: EngineError | null): void {
    const status = error?.exitStatus ?? 0;
    this.#state = { exitStatus: status };
    if (debug.enabled) {
      debug('-job %s(%s) = %s (%d)', this.name, this.args.join(', '), status === 0 ? 'OK' : 'ERR', status);
    }
    if (!trace.hasSubscribers) return;
    const ns = Math.round((performance.now() - startedAt) * 1e6);
    const ended: JobEnded = { kind: 'job-end', id: this.id, ns, status, error: error?.message ?? null };
    trace.publish(ended);
  }
}
