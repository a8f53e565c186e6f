import type { JobContract } from '../api/contract.ts';
import { Conflict, NoSuchJob } from '../api/errors.ts';
import { arityOf } from '../std/usage.ts';
import type { JobDefinition, Wrapper } from './contract.ts';
import { describe } from './entrance.ts';
import type { Handler, JobTableOf } from './job.ts';

type Definitions<Table extends JobTableOf<Table>> = { [Name in keyof Table]?: JobDefinition<Table[Name], Table> };
type Handlers<Table extends JobTableOf<Table>> = { [Name in keyof Table]?: Handler<Table[Name], Table> };
type Wrappers<Table extends JobTableOf<Table>> = {
  [Name in keyof Table]?: readonly Wrapper<Handler<Table[Name], Table>>[];
};

/** The jobs that an engine can run: by name, with what is wrapped around them. */
export class Registry<Table extends JobTableOf<Table>> {
  // Without prototype: names come out of the caller's hand, too.
  readonly #definitions: Definitions<Table> = Object.create(null);
  readonly #wrappers: Wrappers<Table> = Object.create(null);
  /** Handlers with all that is wrapped around them, made as they are first asked for. */
  readonly #handlers: Handlers<Table> = Object.create(null);
  readonly #aliases = new Map<string, string>();

  /** `builtins` are there whatever the table says. */
  constructor(builtins: object) {
    Object.assign(this.#definitions, builtins);
  }

  /** Fails with Conflict when a name is taken, with TypeError when the usage line is none. */
  register<Name extends keyof Table & string>(name: Name, definition: JobDefinition<Table[Name], Table>): void {
    for (const each of [name, ...(definition.aliases ?? [])]) {
      if (each === '') throw new Conflict('a job must have a name');
      if (this.has(each)) throw new Conflict(`job ${each} is already registered`);
    }
    arityOf(definition.usage);
    this.#definitions[name] = definition;
    for (const alias of definition.aliases ?? []) this.#aliases.set(alias, name);
  }

  wrap<Name extends keyof Table & string>(name: Name, wrapper: Wrapper<Handler<Table[Name], Table>>): void {
    this.#wrappers[name] = [...(this.#wrappers[name] ?? []), wrapper];
    delete this.#handlers[name];
  }

  /** Is there a job, or an alias, of that name? */
  has(name: string): boolean {
    return this.isJob(name) || this.#aliases.has(name);
  }

  isJob(name: string): name is keyof Table & string {
    return name in this.#definitions;
  }

  /** What an alias stands for; any other name is itself. */
  resolve(name: string): string {
    return this.#aliases.get(name) ?? name;
  }

  definition<Name extends keyof Table>(name: Name): JobDefinition<Table[Name], Table> | undefined {
    return this.#definitions[name];
  }

  handler<Name extends keyof Table>(name: Name): Handler<Table[Name], Table> | undefined {
    return this.#handlers[name] ?? this.#wrapped(name);
  }

  /** Sorted by name. */
  contracts(): JobContract[] {
    const contracts: JobContract[] = [];
    for (const name of Object.keys(this.#definitions).sort()) {
      const definition = this.isJob(name) ? this.#definitions[name] : undefined;
      if (definition !== undefined) contracts.push(describe(name, definition));
    }
    return contracts;
  }

  /** Fails with NoSuchJob when something is wrapped that is not there. */
  verify(): void {
    for (const name of Object.keys(this.#wrappers)) {
      if (!this.isJob(name)) throw new NoSuchJob(name);
    }
  }

  #wrapped<Name extends keyof Table>(name: Name): Handler<Table[Name], Table> | undefined {
    let handler = this.#definitions[name]?.handler;
    if (handler === undefined) return undefined;
    for (const wrapper of this.#wrappers[name] ?? []) handler = wrapper(handler);
    this.#handlers[name] = handler;
    return handler;
  }
}
