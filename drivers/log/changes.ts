import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import createDebug from 'debug';

const debug = createDebug('gantry:log:changes');

/** How often to look where inotify is used up (fs.inotify.max_user_watches). */
const POLL_MS = 250;

/**
 * Tells that a log has changed: one inotify watch of its folder, so that a rotation is seen as well as a write. Made
 * before the log is read, nothing that comes later is missed.
 */
export class Changes implements Disposable {
  #watcher: FSWatcher | null = null;
  #poll: NodeJS.Timeout | null = null;
  #isChanged = false;
  #wake: () => void = () => {};

  constructor(path: string) {
    const name = basename(path);
    try {
      this.#watcher = watch(dirname(path), { persistent: false }, (_event, file) => {
        if (file === null || file.startsWith(name)) this.note();
      });
      this.#watcher.on('error', (error) => this.#pollInstead(error));
    } catch (error) {
      this.#pollInstead(error);
    }
  }

  /** Something has changed, or is to be looked at again. */
  note(): void {
    this.#isChanged = true;
    this.#wake();
  }

  /** Resolves at the first change since it resolved last. */
  async next(): Promise<void> {
    if (!this.#isChanged) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isChanged = false;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#wake();
  }

  #pollInstead(error: unknown): void {
    debug('no inotify, looking every %d ms: %O', POLL_MS, error);
    this.#watcher?.close();
    this.#poll ??= setInterval(() => this.note(), POLL_MS).unref();
  }
}
