import type { ContainerID } from '../api/ids.ts';
import { withoutSlash } from './container-names.ts';
import type { ContainerRecord } from './container-record.ts';

/** How many are remembered, the latest, and for how long. */
const MOST = 256;
const MILLISECONDS = 10_000;

export interface Departed {
  readonly id: ContainerID;
  readonly name: string;
  readonly exitCode: number;
}

/**
 * How containers with `--rm` have ended that are gone already, for `wait` alone: to everyone else they are not there, and
 * their names are free.
 *
 * dockerode, docker-py and testcontainers start a container and only then ask for its end, with a second request. dockerd
 * takes longer to remove a container than a client to ask; here it is gone within a millisecond of its end, and who asks
 * next would hear that there never was one.
 */
export class DepartedContainers {
  readonly #clock: () => number;
  readonly #bounds: { readonly most: number; readonly milliseconds: number };
  /** In the order in which they went. */
  readonly #departed = new Map<ContainerID, Departed & { readonly at: number }>();

  /** `clock` gives milliseconds that never go back. */
  constructor(clock: () => number = () => performance.now(), bounds = { most: MOST, milliseconds: MILLISECONDS }) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  add({ ID: id, Name: name }: Pick<ContainerRecord, 'ID' | 'Name'>, exitCode: number): void {
    this.#departed.delete(id);
    this.#departed.set(id, { id, name, exitCode, at: this.#clock() });
    this.#drop();
  }

  /** Someone has removed it by hand: it is gone, and they know. */
  forget(id: ContainerID): void {
    this.#departed.delete(id);
  }

  /** By id, by name (of several the last) or by a prefix that only one id has; null where there is none. */
  find(reference: string): Departed | null {
    this.#drop();
    const all = [...this.#departed.values()];
    const name = withoutSlash(reference);
    const named = all.findLast((each) => each.id === reference) ?? all.findLast((each) => each.name === name);
    if (named !== undefined) return named;
    const [found, ...others] = reference === '' ? [] : all.filter(({ id }) => id.startsWith(reference));
    return found === undefined || others.length > 0 ? null : found;
  }

  #drop(): void {
    const since = this.#clock() - this.#bounds.milliseconds;
    for (const { id, at } of this.#departed.values()) {
      if (at > since && this.#departed.size <= this.#bounds.most) return;
      this.#departed.delete(id);
    }
  }
}
