/**
 * One queue a key: whoever holds `acquire(key)` is alone with that key until disposal; others wait in order.
 *
 *   await using _turn = await lock.acquire(id, job.signal);
 *
 * A waiter whose signal is raised leaves the queue and throws the signal's reason. A key nobody holds costs nothing.
 */
export class KeyedLock<Key> {
  readonly #tails = new Map<Key, Promise<void>>();

  async acquire(key: Key, signal?: AbortSignal): Promise<AsyncDisposable> {
    const before = this.#tails.get(key);
    let open: () => void = () => {};
    const mine = new Promise<void>((resolve) => {
      open = resolve;
    });
    const tail = before === undefined ? mine : before.then(() => mine);
    this.#tails.set(key, tail);
    const release = () => {
      open();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
    if (before !== undefined) {
      try {
        await withSignal(before, signal);
      } catch (error) {
        release();
        throw error;
      }
    }
    return { [Symbol.asyncDispose]: async () => release() };
  }

  isHeld(key: Key): boolean {
    return this.#tails.has(key);
  }
}

function withSignal(waiting: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return waiting;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, reject);
  });
}
