/** Introduces jobs to the engine: contracts from `contracts.ts`, handlers from `handlers.ts`. */
import type { JobTable } from '../api/jobs.ts';
import type { Engine } from '../engine/engine.ts';
import { contracts } from './contracts.ts';
import type { JobHandler } from './daemon.ts';

type Name = Exclude<keyof JobTable, 'commands'>;

/** A handler for every job of the table but `commands`, which the engine has itself: one left out does not compile. */
export type Handlers = { readonly [Each in Name]: JobHandler<Each> };

/** Registers those that are given, under their contracts. Fails with Conflict when one is registered already. */
export function installJobs(engine: Engine<JobTable>, handlers: Partial<Handlers>): void {
  for (const name of Object.keys(contracts)) {
    if (isName(name)) installJob(engine, name, handlers);
  }
}

function installJob<Each extends Name>(engine: Engine<JobTable>, name: Each, handlers: Partial<Handlers>): void {
  const handler = handlers[name];
  if (handler !== undefined) engine.register(name, { ...contracts[name], handler });
}

function isName(name: string): name is Name {
  return Object.hasOwn(contracts, name);
}
