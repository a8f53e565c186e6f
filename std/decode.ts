/**
 * Unknown JSON → typed value. A decoder is a function of the value and its path; the decoder is the type:
 *
 *   const hostConfig = object({ Memory: optional(integer, 0), AutoRemove: optional(flag, false) });
 *   type HostConfig = Decoded<typeof hostConfig>;
 *
 * As on Docker's wire, null and absent both give the default, unknown keys are dropped, and keys match without regard
 * to case where no exact key is there (Go's encoding/json). What does not fit is a DecodeError that names the path.
 */
export type Decoder<T> = (value: unknown, path: string) => T;
export type Decoded<D> = D extends Decoder<infer T> ? T : never;
type Fields = { readonly [name: string]: Decoder<unknown> };
type Shape<F extends Fields> = { [K in keyof F]: Decoded<F[K]> };
export type ObjectDecoder<F extends Fields> = Decoder<Shape<F>> & { readonly fields: F };

export class DecodeError extends Error {
  constructor(path: string, expected: string, value: unknown) {
    super(`${path}: expected ${expected}, got ${kindOf(value)}`);
    this.name = 'DecodeError';
  }
}

export const text: Decoder<string> = (value, path) => {
  if (typeof value !== 'string') throw new DecodeError(path, 'a string', value);
  return value;
};

export const flag: Decoder<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new DecodeError(path, 'true or false', value);
  return value;
};

/** A whole number that a double holds exactly. */
export const integer: Decoder<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new DecodeError(path, 'a whole number', value);
  return value;
};

export const number: Decoder<number> = (value, path) => {
  if (typeof value !== 'number') throw new DecodeError(path, 'a number', value);
  return value;
};

/** A text that `parse` reads, in whose words it is refused. */
export function parsed<T>(parse: (value: string) => T): Decoder<T> {
  return (value, path) => parse(text(value, path));
}

/** Anything at all, to be looked at later. */
export const anything: Decoder<unknown> = (value) => value;

export function list<T>(item: Decoder<T>): Decoder<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new DecodeError(path, 'a list', value);
    return value.map((each, index) => item(each, `${path}[${index}]`));
  };
}

/** A map from names out of the caller's hand: own keys only, on an object without prototype. */
export function record<T>(item: Decoder<T>): Decoder<Record<string, T>> {
  return (value, path) => {
    if (!isObject(value)) throw new DecodeError(path, 'an object', value);
    const result: Record<string, T> = Object.create(null);
    for (const key of Object.keys(value)) result[key] = item(value[key], `${path}.${key}`);
    return result;
  };
}

/** Absent and null give `fallback`. */
export function optional<T, F>(item: Decoder<T>, fallback: F): Decoder<T | F> {
  return (value, path) => (value === undefined || value === null ? fallback : item(value, path));
}

/** Absent and null give null. */
export function nullable<T>(item: Decoder<T>): Decoder<T | null> {
  return optional(item, null);
}

export function oneOf<const T extends string>(...words: readonly T[]): Decoder<T> {
  return (value, path) => {
    const word = words.find((each) => each === value);
    if (word === undefined) throw new DecodeError(path, `one of ${words.join(', ')}`, value);
    return word;
  };
}

export function object<const F extends Fields>(fields: F): ObjectDecoder<F> {
  const names = Object.keys(fields);
  const decode = (value: unknown, path: string): Shape<F> => {
    if (!isObject(value)) throw new DecodeError(path, 'an object', value);
    const result: Record<string, unknown> = {};
    let folded: Map<string, unknown> | null = null;
    for (const name of names) {
      let found: unknown = Object.hasOwn(value, name) ? value[name] : undefined;
      if (found === undefined) {
        folded ??= new Map(Object.keys(value).map((key) => [key.toLowerCase(), value[key]]));
        found = folded.get(name.toLowerCase());
      }
      result[name] = fields[name]?.(found, `${path}.${name}`);
    }
    return result as Shape<F>;
  };
  return Object.assign(decode, { fields });
}

/** Neither null nor a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `${typeof value} ${JSON.stringify(value)?.slice(0, 80)}`;
}
