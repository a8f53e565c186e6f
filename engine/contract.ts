import type { Decoder } from '../std/decode.ts';
import type { UsageFor } from '../std/usage.ts';
import type { Handler, JobTableOf, Signature } from './job.ts';
import type { Life } from './lifetime.ts';

/**
 * What a job promises to whoever runs it, also from outside the daemon: told by `GET /jobs`, checked by `POST /jobs/…`.
 * It is registered together with the handler.
 */
export interface Contract<S extends Signature> {
  /** One sentence: what it does. */
  readonly summary: string;
  /** The words it takes, as a usage line: `<container> [signal]`, `[address…]`, '' for none (std/usage.ts). */
  readonly usage: UsageFor<S['args']>;
  /** Reads the env as it comes from outside the daemon, in JSON. */
  readonly env: Decoder<S['env']>;
  /** What the streams carry, in a few words; left out where nothing is. */
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Other names that it answers to from outside. */
  readonly aliases?: readonly string[];
  /** What a shutdown of the engine does with it while it runs; `work` when left out. */
  readonly life?: Life;
}

/** What `engine.register` takes: a contract, and the handler that keeps it. */
export interface JobDefinition<S extends Signature, Table extends JobTableOf<Table>> extends Contract<S> {
  readonly handler: Handler<S, Table>;
}

/** One contract for each job of the table: leaving one out does not compile. */
export type ContractsOf<Table extends JobTableOf<Table>> = { readonly [Name in keyof Table]: Contract<Table[Name]> };

/** Puts something around a handler: policy, audit, fault injection. Called once; what it returns, once a job. */
export type Wrapper<Handle> = (next: Handle) => Handle;
