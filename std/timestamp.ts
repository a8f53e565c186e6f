import { performance } from 'node:perf_hooks';

/** An instant in nanoseconds since 1970, as Docker's wire and the kernel have it; a Date has only milliseconds. */
export type Nanos = bigint;

/** What Docker prints for an instant that has not come: Go's zero time. */
export const NEVER = '0001-01-01T00:00:00Z';

/** How far the clock that counts from the start of the process may be from the wall's before it is not to be believed. */
const DRIFT_MS = 5;

/** The wall clock: to the microsecond that Node can tell, or to the millisecond once it was set or has drifted. */
export function now(): Nanos {
  const wall = Date.now();
  const precise = performance.timeOrigin + performance.now();
  const ms = Math.abs(precise - wall) < DRIFT_MS ? precise : wall;
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

/** RFC 3339 with as many of nine digits as are not trailing zeros (Go's RFC3339Nano), in UTC. */
export function toRFC3339(instant: Nanos): string {
  const seconds = new Date(Number(instant / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = (instant % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** Reads RFC 3339 with up to nine digits of a second and any offset; null where it is none. */
export function fromRFC3339(text: string): Nanos | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return null;
  const [, seconds, fraction = '', zone] = match;
  const ms = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(ms)) return null;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
