import { randomInt } from 'node:crypto';
import { InvalidParameter, NameInUse } from '../api/errors.ts';
import type { ContainerID } from '../api/ids.ts';
import { randomName } from './random-name.ts';

const ALLOWED = '[a-zA-Z0-9][a-zA-Z0-9_.-]';
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** A name becomes a host name, an event, a column: dockerd has no bound here. */
const MAX_LENGTH = 255;
const RANDOM_TRIES = 6;

/** Which container holds which name. Names are without their leading slash here. */
export class ContainerNames {
  readonly #holders = new Map<string, ContainerID>();

  holder(name: string): ContainerID | null {
    return this.#holders.get(name) ?? null;
  }

  /** Holding a name twice is holding it. Fails with NameInUse or InvalidParameter (bad name). */
  reserve(name: string, id: ContainerID): void {
    const bare = withoutSlash(name);
    if (!NAME.test(bare)) throw new InvalidParameter(`Invalid container name (${name}), only ${ALLOWED} are allowed`);
    if (bare.length > MAX_LENGTH) {
      throw new InvalidParameter(`Invalid container name (${bare.slice(0, 32)}…), at most ${MAX_LENGTH} characters`);
    }
    const holder = this.#holders.get(bare);
    if (holder !== undefined && holder !== id) throw new NameInUse(bare, holder);
    this.#holders.set(bare, id);
  }

  /** Takes one that is free: a random one, with a digit when it is taken, at last the id's first digits. */
  reserveRandom(id: ContainerID): string {
    for (let attempt = 0; attempt < RANDOM_TRIES; attempt++) {
      const name = randomName() + (attempt === 0 ? '' : randomInt(10));
      if (this.#holders.has(name)) continue;
      this.#holders.set(name, id);
      return name;
    }
    const name = id.slice(0, 12);
    this.reserve(name, id);
    return name;
  }

  release(name: string, id: ContainerID): void {
    const bare = withoutSlash(name);
    if (this.#holders.get(bare) === id) this.#holders.delete(bare);
  }
}

export const withoutSlash = (name: string): string => (name.startsWith('/') ? name.slice(1) : name);
