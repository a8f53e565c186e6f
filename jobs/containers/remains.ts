import createDebug from 'debug';
import type { ContainerID } from '../../api/ids.ts';

const warn = createDebug('gantry:warn:remains');
/** Long enough that who waits for a container and then removes it, or starts it, comes first. */
const DELAY_MS = 20;

/** What a container's run leaves behind: cleared up a moment later, or at once for who cannot wait. */
export class Remains {
  readonly #work: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #clearing: Promise<void> | null = null;

  constructor(id: ContainerID, work: () => Promise<void>) {
    this.#work = work;
    this.#timer = setTimeout(() => {
      this.clear().catch((error: unknown) => warn('the remains of %s could not be cleared up: %O', id, error));
    }, DELAY_MS);
  }

  /** Once, however many ask. One that fails is tried again by the next who asks. */
  clear(): Promise<void> {
    clearTimeout(this.#timer);
    this.#clearing ??= this.#work().catch((error: unknown) => {
      this.#clearing = null;
      throw error;
    });
    return this.#clearing;
  }
}
