import { writeAtomic } from './atomic-file.ts';

/**
 * A file that holds what memory holds. Saves asked for while one is being written share the next one, so many changes at
 * once cost two writes; each returns when content at least as new as its own is on disk.
 */
export class CoalescedFile {
  readonly #path: string;
  readonly #content: () => string;
  #last: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | null = null;

  constructor(path: string, content: () => string) {
    this.#path = path;
    this.#content = content;
  }

  save(): Promise<void> {
    if (this.#waiting === null) {
      this.#waiting = this.#last
        .catch(() => {})
        .then(() => {
          this.#waiting = null;
          return writeAtomic(this.#path, this.#content());
        });
      this.#last = this.#waiting;
    }
    return this.#waiting;
  }
}
