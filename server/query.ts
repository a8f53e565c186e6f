import { InvalidParameter } from '../api/errors.ts';
import { type Filters, parseFilters } from '../api/filters.ts';

const MAX_FILTERS_LENGTH = 256 * 1024;

/** The query of a request, read the way Docker's server reads it. */
export class Query {
  readonly #text: string;
  readonly #params: URLSearchParams;

  constructor(text: string) {
    this.#text = text;
    this.#params = new URLSearchParams(text);
  }

  /** What `form` says counts first. */
  behind(form: string): Query {
    return form === '' ? this : new Query(`${form}&${this.#text}`);
  }

  has(name: string): boolean {
    return this.#params.has(name);
  }

  /** The first value; '' when it is not there. */
  text(name: string): string {
    return this.#params.get(name) ?? '';
  }

  all(name: string): string[] {
    return this.#params.getAll(name);
  }

  /** False are absent, empty, `0`, `no`, `false` and `none`; anything else is true. */
  flag(name: string, absent = false): boolean {
    const value = this.#params.get(name);
    if (value === null) return absent;
    return !['', '0', 'no', 'false', 'none'].includes(value.trim().toLowerCase());
  }

  /** A whole number, or null when absent or empty. Fails with InvalidParameter in Go's words, as Docker does. */
  integer(name: string): number | null {
    const value = this.text(name);
    if (value === '') return null;
    if (!/^[+-]?\d+$/.test(value))
      throw new InvalidParameter(`strconv.Atoi: parsing ${goQuote(value)}: invalid syntax`);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      throw new InvalidParameter(`strconv.Atoi: parsing ${goQuote(value)}: value out of range`);
    }
    return number;
  }

  /** Fails with InvalidParameter when a key is not among `allowed`. */
  filters(allowed: readonly string[]): Filters {
    const json = this.#params.get('filters');
    if (json !== null && json.length > MAX_FILTERS_LENGTH) throw new InvalidParameter('invalid filter: too long');
    return parseFilters(json, allowed);
  }
}

function goQuote(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}
