import { InvalidParameter } from '../../api/errors.ts';
import { type Operation, SLOT } from './program.ts';

/** A part of a program that has something to do on both sides of `clone`. */
export interface Fragment {
  /** In the monitor, in the host's namespaces. */
  readonly before: readonly Operation[];
  /** In the container's first process. */
  readonly after: readonly Operation[];
}

export function joined(fragments: readonly Fragment[]): Fragment {
  return {
    before: fragments.flatMap((fragment) => fragment.before),
    after: fragments.flatMap((fragment) => fragment.after),
  };
}

/** Gives out the slots that have no fixed meaning. */
export class Slots {
  #next: number = SLOT.firstFree;

  /** Fails with InvalidParameter when a program asks for more open files than there are slots. */
  take(): number {
    if (this.#next >= SLOT.count) {
      throw new InvalidParameter(`too many mounts: a container can have at most ${SLOT.count - SLOT.firstFree} binds`);
    }
    return this.#next++;
  }
}
