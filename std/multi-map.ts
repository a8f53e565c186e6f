const NOTHING: ReadonlySet<never> = new Set();

/** Several values a key, each once. A key whose last value goes is forgotten. */
export class MultiMap<Key, Value> {
  readonly #sets = new Map<Key, Set<Value>>();

  /** In the order in which they came; it follows what is added and deleted, as long as there is one. */
  get(key: Key): ReadonlySet<Value> {
    return this.#sets.get(key) ?? NOTHING;
  }

  add(key: Key, value: Value): void {
    const values = this.#sets.get(key);
    if (values === undefined) this.#sets.set(key, new Set([value]));
    else values.add(value);
  }

  delete(key: Key, value: Value): void {
    const values = this.#sets.get(key);
    if (values?.delete(value) && values.size === 0) this.#sets.delete(key);
  }
}
