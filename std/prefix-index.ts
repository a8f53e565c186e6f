/**
 * Words kept in order, so that a unique prefix is found by halving and not by looking at all of them.
 * Adding and removing moves at most the array behind one place.
 */
export class PrefixIndex<Word extends string> {
  readonly #words: Word[] = [];

  add(word: Word): void {
    const at = this.#position(word);
    if (this.#words[at] !== word) this.#words.splice(at, 0, word);
  }

  remove(word: Word): void {
    const at = this.#position(word);
    if (this.#words[at] === word) this.#words.splice(at, 1);
  }

  /** The word itself, the only one that begins so, or `'several'`; null where there is none. */
  find(prefix: string): Word | 'several' | null {
    const at = this.#position(prefix);
    const first = this.#words[at];
    if (first === undefined || !first.startsWith(prefix)) return null;
    if (first === prefix) return first;
    return this.#words[at + 1]?.startsWith(prefix) ? 'several' : first;
  }

  /** Where the first word that is not before `text` stands. */
  #position(text: string): number {
    let low = 0;
    let high = this.#words.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#words[middle] ?? '') < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
