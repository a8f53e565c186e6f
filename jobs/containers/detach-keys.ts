/** The keys by which whoever is attached to a terminal leaves it without ending it (moby/term: ascii.go, proxy.go). */

/** ctrl-p, ctrl-q */
const DEFAULT_KEYS: readonly number[] = [16, 17];
/** In the order of their codes, beginning with 0. */
const CONTROL = '@abcdefghijklmnopqrstuvwxyz[\\]^_';
const DELETE = 127;
/** Nobody types more to leave; what may be their beginning is held back. */
const MAX_KEYS = 64;

/** Codes of `ctrl-a,x`; null for what is no list of keys. '' gives an empty list. */
export function parseDetachKeys(text: string): number[] | null {
  if (text === '') return [];
  const keys = text.split(',', MAX_KEYS + 1);
  const codes = keys.map(codeOf);
  return codes.length <= MAX_KEYS && codes.every((code) => code !== null) ? codes : null;
}

/**
 * Looks for the keys in what the user types, across chunks. What may be their beginning is held back until it is clear.
 */
export class DetachWatch {
  readonly #keys: readonly number[];
  #held = 0;

  /** An empty list: the default keys. */
  constructor(keys: readonly number[]) {
    this.#keys = keys.length === 0 ? DEFAULT_KEYS : keys;
  }

  /** What goes on to the process, and whether the user has left. */
  pass(chunk: Buffer): { readonly bytes: Buffer; readonly isDetached: boolean } {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#held]) {
        this.#held++;
        if (this.#held === this.#keys.length) return { bytes: Buffer.from(out), isDetached: true };
        continue;
      }
      out.push(...this.#keys.slice(0, this.#held), byte);
      this.#held = 0;
    }
    return { bytes: Buffer.from(out), isDetached: false };
  }
}

function codeOf(key: string): number | null {
  if (key.length === 1 && key.charCodeAt(0) < 0x80) return key.charCodeAt(0);
  if (key === 'DEL') return DELETE;
  const code = key.length === 6 && key.startsWith('ctrl-') ? CONTROL.indexOf(key.slice(5)) : -1;
  return code < 0 ? null : code;
}
