import { DecodeError, type Decoder, isObject } from '../std/decode.ts';
import { parseJSON } from '../std/parse-json.ts';
import { InvalidParameter } from './errors.ts';

/** The `filters` of a query: for each key the values, any of which may match. */
export type Filters = ReadonlyMap<string, readonly string[]>;

const NO_FILTERS: Filters = new Map();

/**
 * Reads `{"key":{"value":true}}` (today's form) and `{"key":["value"]}` (before 1.22); both are on the wire.
 * Fails with InvalidParameter when it is neither, or when a key is not among `allowed`.
 */
export function parseFilters(json: string | null, allowed: readonly string[]): Filters {
  if (json === null || json === '') return NO_FILTERS;
  const filters = new Map<string, string[]>();
  for (const [key, values] of Object.entries(parsed(json))) {
    if (!allowed.includes(key)) throw new InvalidParameter(`Invalid filter '${key}'`);
    filters.set(key, valuesOf(values));
  }
  return filters;
}

/** No value of that key is asked for, or one that `test` accepts. */
export function matchesAny(filters: Filters, key: string, test: (value: string) => boolean): boolean {
  const values = filters.get(key) ?? [];
  return values.length === 0 || values.some(test);
}

/** Reads the same forms, already out of their JSON; absent and null are no filters. */
export const filters: Decoder<Filters> = (value, path) => {
  if (value === undefined || value === null) return NO_FILTERS;
  if (!isObject(value)) throw new DecodeError(path, 'an object', value);
  return new Map(Object.entries(value).map(([key, values]) => [key, valuesOf(values)]));
};

function parsed(json: string): object {
  try {
    const value = parseJSON(json);
    if (isObject(value)) return value;
  } catch {}
  throw new InvalidParameter('invalid filter');
}

function valuesOf(values: unknown): string[] {
  if (Array.isArray(values)) return values.map(String);
  if (isObject(values)) {
    return Object.entries(values).flatMap(([value, isSet]) => (isSet === true ? [value] : []));
  }
  throw new InvalidParameter('invalid filter');
}
