import type { Readable } from 'node:stream';
import createDebug from 'debug';
import { Conflict, EngineError } from '../api/errors.ts';
import type { Engine } from './engine.ts';
import { Output } from './output.ts';

const debug = createDebug('gantry:engine');

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

export interface JobInit<S extends Signature, Table extends JobTableOf<Table>> {
  readonly engine: Engine<Table>;
  /** Tells apart two runs of one job in the log and in the trace. */
  readonly id: number;
  /** The job that ran this one; null at the top. */
  readonly parent: number | null;
  readonly name: string;
  readonly args: S['args'];
  readonly env: S['env'];
  readonly handler: Handler<S, Table>;
  /** Raised when the caller goes away, the parent is cancelled or the engine stops. */
  readonly signal: AbortSignal;
  readonly stdin: Readable;
}

/**
 * A job is the unit of work: a Unix process inside the daemon, with name, arguments, environment, three streams and an
 * exit status, run once. Unlike a process it also returns a value.
 */
export class Job<S extends Signature, Table extends JobTableOf<Table>> {
  readonly engine: Engine<Table>;
  readonly id: number;
  readonly parent: number | null;
  readonly name: string;
  readonly args: S['args'];
  readonly env: S['env'];
  readonly signal: AbortSignal;
  readonly stdin: Readable;
  /** Progress, logs, archives, a terminal: what the caller wants as it comes. */
  readonly stdout = new Output();
  /** The second stream, as a process has it. Nothing is ever parsed out of it. */
  readonly stderr = new Output();
  /**
   * Resolves when the handler has accepted: arguments are good and a long answer begins. Rejects when the job fails
   * before that; resolves to null when it ends well without saying so.
   */
  readonly accepted: Promise<Accepted<S> | null>;

  readonly #handler: Handler<S, Table>;
  #accept: (value: Accepted<S> | null) => void = () => {};
  #refuse: (reason: unknown) => void = () => {};
  #state: 'new' | 'running' | { readonly exitStatus: number } = 'new';

  constructor(init: JobInit<S, Table>) {
    this.engine = init.engine;
    this.id = init.id;
    this.parent = init.parent;
    this.name = init.name;
    this.args = init.args;
    this.env = init.env;
    this.signal = init.signal;
    this.stdin = init.stdin;
    this.#handler = init.handler;
    this.accepted = new Promise((resolve, reject) => {
      this.#accept = resolve;
      this.#refuse = reject;
    });
    this.accepted.catch(() => {});
  }

  /** The handler's word that its arguments are good: a server may send its headers now. */
  accept(value: Accepted<S>): void {
    this.#accept(value);
  }

  /** 0 for well, null until it has ended. */
  get exitStatus(): number | null {
    return typeof this.#state === 'object' ? this.#state.exitStatus : null;
  }

  async run(): Promise<S['result']> {
    if (this.#state !== 'new') throw new Conflict(`${this.name}: job has already run`);
    this.#state = 'running';
    debug('+job %s(%s)', this.name, this.args.join(', '));
    try {
      this.signal.throwIfAborted();
      const result = await this.#handler(this);
      this.#state = { exitStatus: 0 };
      this.#accept(null);
      return result;
    } catch (error) {
      this.#state = { exitStatus: error instanceof EngineError ? error.exitStatus : 1 };
      this.#refuse(error);
      throw error;
    } finally {
      this.stdout.close();
      this.stderr.close();
      debug(
        '-job %s(%s) = %s (%d)',
        this.name,
        this.args.join(', '),
        this.exitStatus === 0 ? 'OK' : 'ERR',
        this.exitStatus,
      );
    }
  }
}
