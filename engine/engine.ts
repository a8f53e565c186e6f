import type { Readable } from 'node:stream';
import type { JobContract } from '../api/contract.ts';
import { Conflict, NoSuchJob } from '../api/errors.ts';
import { anything, object, record } from '../std/decode.ts';
import type { JobDefinition, Wrapper } from './contract.ts';
import { decodeArgs, decodeEnv } from './entrance.ts';
import { type ChildOptions, type Handler, Job, type JobTableOf, type Runner, type Signature } from './job.ts';
import { type Deadlines, type Life, Lifetime } from './lifetime.ts';
import type { Output } from './output.ts';
import { Registry } from './registry.ts';
import type { PluginRoute } from './routes.ts';
import { Trace } from './trace.ts';

export interface RunOptions {
  /** Raised when the caller goes away. */
  readonly signal?: AbortSignal;
  readonly stdin?: Readable;
  /** Run also while the engine shuts down: for what the shutdown itself needs. Nobody can ask for it from outside. */
  readonly overrideShutdown?: boolean;
}

/** Something that adds jobs, wraps jobs, offers routes. */
export interface Plugin<Table extends JobTableOf<Table>> {
  install(engine: Engine<Table>): void | Promise<void>;
}

/** What reached the catch-all: nothing is known of it but that its name is not empty. */
export interface UnknownSignature {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, unknown>>;
  readonly result: unknown;
  readonly accept: unknown;
}

/** A job run from outside, where types do not reach. */
export interface OpenJob {
  readonly id: number;
  readonly name: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly accepted: Promise<unknown>;
  readonly exitStatus: number | null;
  run(): Promise<unknown>;
}

interface Making<S extends Signature, Table extends JobTableOf<Table>> {
  readonly name: string;
  readonly args: S['args'];
  readonly env: S['env'];
  readonly handler: Handler<S, Table> | null;
  readonly life: Life;
  readonly parent: number | null;
  readonly options: RunOptions;
}

/**
 * The engine is a registry of named handlers and the jobs now running. It knows nothing of containers: what it can do is
 * the table it is given. The job `commands` is there from the start.
 */
export class Engine<Table extends JobTableOf<Table>> implements Runner<Table> {
  /** What happens in its jobs, once started. */
  readonly trace = new Trace();
  readonly #registry = new Registry<Table>({ commands });
  readonly #lifetime = new Lifetime();
  readonly #routes: PluginRoute<Table>[] = [];
  #catchall: Handler<UnknownSignature, Table> | null = null;
  #jobs = 0;

  /** Fails with Conflict when the name is taken, with TypeError when the contract's usage line is none. */
  register<Name extends keyof Table & string>(name: Name, definition: JobDefinition<Table[Name], Table>): void {
    this.#registry.register(name, definition);
  }

  /** Puts `wrapper` around the job, outside of what is around it already. The job may be registered later. */
  wrap<Name extends keyof Table & string>(name: Name, wrapper: Wrapper<Handler<Table[Name], Table>>): void {
    this.#registry.wrap(name, wrapper);
  }

  /** Takes every name that is not registered, but the empty one. Fails with Conflict when there is one already. */
  catchall(handler: Handler<UnknownSignature, Table>): void {
    if (this.#catchall !== null) throw new Conflict('a catch-all is already registered');
    this.#catchall = handler;
  }

  async install(plugin: Plugin<Table>): Promise<void> {
    await plugin.install(this);
  }

  /** Offers a route over HTTP; the server takes those that are there when it starts. */
  route(route: PluginRoute<Table>): void {
    this.#routes.push(route);
  }

  get routes(): readonly PluginRoute<Table>[] {
    return this.#routes;
  }

  /** To be called when all is registered. Fails with NoSuchJob when something is wrapped that is not there. */
  verify(): void {
    this.#registry.verify();
  }

  /** Is there a job, or an alias, of that name? */
  has(name: string): boolean {
    return this.#registry.has(name);
  }

  /** All that can be run, sorted by name. */
  contracts(): JobContract[] {
    return this.#registry.contracts();
  }

  /** Makes a job, to be run when its streams are in place. Never fails: running it does, with 127 for an unknown name. */
  job<Name extends keyof Table & string>(
    name: Name,
    args: Table[Name]['args'],
    env: Table[Name]['env'],
    options: RunOptions = {},
  ): Job<Table[Name], Table> {
    return this.#known(name, args, env, null, options);
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

  /** See `Runner.childOf`. */
  childOf<Name extends keyof Table & string>(
    parent: { readonly id: number; readonly signal: AbortSignal },
    name: Name,
    args: Table[Name]['args'],
    env: Table[Name]['env'],
    { stdin }: ChildOptions,
  ): Job<Table[Name], Table> {
    return this.#known(name, args, env, parent.id, { signal: parent.signal, ...(stdin && { stdin }) });
  }

  /**
   * Makes a job from what the outside says: a name or alias, words, JSON. Fails with NoSuchJob, or with InvalidParameter
   * in the words of the job's contract.
   */
  open(name: string, args: readonly string[], env: unknown, options: RunOptions = {}): OpenJob {
    const known = this.#registry.resolve(name);
    if (this.#registry.isJob(known)) return this.#opened(known, args, env, options);
    const handler = this.#catchall;
    if (handler === null || name === '') throw new NoSuchJob(name);
    return this.#make({
      name,
      args,
      env: decodeEnv(name, record(anything), env),
      handler,
      life: 'work',
      parent: null,
      options,
    });
  }

  /** See `Lifetime.onShutdown`. */
  onShutdown(label: string, run: () => unknown, deadlineMs?: number): void {
    this.#lifetime.onShutdown(label, run, deadlineMs);
  }

  /** True from the first instant of a shutdown. */
  get isShutdown(): boolean {
    return this.#lifetime.isShutdown;
  }

  /** See `Lifetime.shutdown`. */
  shutdown(deadlines?: Partial<Deadlines>): Promise<void> {
    return this.#lifetime.shutdown(deadlines);
  }

  #opened<Name extends keyof Table & string>(
    name: Name,
    words: readonly string[],
    json: unknown,
    options: RunOptions,
  ): Job<Table[Name], Table> {
    const definition = this.#registry.definition(name);
    if (definition === undefined) throw new NoSuchJob(name);
    const args = decodeArgs<Table[Name]['args']>(name, definition.usage, words);
    return this.#known(name, args, decodeEnv(name, definition.env, json), null, options);
  }

  #known<Name extends keyof Table & string>(
    name: Name,
    args: Table[Name]['args'],
    env: Table[Name]['env'],
    parent: number | null,
    options: RunOptions,
  ): Job<Table[Name], Table> {
    const handler = this.#registry.handler(name) ?? null;
    const life = this.#registry.definition(name)?.life ?? 'work';
    return this.#make<Table[Name]>({ name, args, env, handler, life, parent, options });
  }

  #make<S extends Signature>({ options, life, ...init }: Making<S, Table>): Job<S, Table> {
    const { signal = null, stdin = null, overrideShutdown = false } = options;
    return new Job<S, Table>({
      ...init,
      engine: this,
      id: ++this.#jobs,
      signal,
      stdin,
      admit: (job) => this.#lifetime.admit(job, life, overrideShutdown || init.parent !== null),
      release: (job) => this.#lifetime.release(job),
    });
  }
}

/** Names of all jobs, sorted; on stdout, one a line. */
const commands = {
  summary: 'Names of all jobs',
  usage: '',
  env: object({}),
  stdout: 'one name a line',
  handler: async <Table extends JobTableOf<Table>>(job: Job<Signature, Table>): Promise<string[]> => {
    const names = job.engine.contracts().map((contract) => contract.name);
    await job.stdout.write(`${names.join('\n')}\n`);
    return names;
  },
};
