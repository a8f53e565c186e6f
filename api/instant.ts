/**
 * Instants as users and clients give them in `since` and `until` (Docker's api/types/time): seconds since 1970 with a
 * fraction, RFC 3339, a date with or without a time, or a Go duration back from now. What has no zone is local time.
 */
import type { Nanos } from '../std/timestamp.ts';
import { fromRFC3339 } from '../std/timestamp.ts';
import { InvalidParameter } from './errors.ts';

/** Far more characters than an instant of any form needs: a number of a million digits takes long to read. */
const MAX_LENGTH = 256;
const SECOND = 1_000_000_000n;
/** Nanoseconds of a Go duration's units. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const DURATION = /^([+-])?((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
/** `2006-01-02`, with `T15`, `T15:04`, `T15:04:05.9` behind it, and a zone. */
const DATE = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d\d:\d\d)?$/;

/** Null for no bound. Fails with InvalidParameter in Docker's words. */
export function parseInstant(text: string, now: Nanos): Nanos | null {
  if (text === '') return null;
  if (text.length > MAX_LENGTH) throw outOfRange(`${text.slice(0, MAX_LENGTH)}…`);
  const duration = durationOf(text);
  if (duration !== null) return now - duration;
  const date = dateOf(text);
  if (date !== null) return date;
  return unixTime(text);
}

function durationOf(text: string): Nanos | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  let total = 0n;
  for (const [, count = '', unit = ''] of (match[2] ?? '').matchAll(PART)) total += nanosOf(count, UNITS[unit] ?? 0);
  return match[1] === '-' ? -total : total;
}

/** Whole units exactly; what is behind the point as far as a double can tell. */
function nanosOf(count: string, unit: number): Nanos {
  const [whole = '', fraction = ''] = count.split('.');
  const exact = BigInt(whole === '' ? 0 : whole) * BigInt(unit);
  return fraction === '' ? exact : exact + BigInt(Math.round(Number(`0.${fraction}`) * unit));
}

function dateOf(text: string): Nanos | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [, day, hours = '00', minutes = '00', seconds = '00', fraction, zone] = match;
  const clock = `${day}T${hours}:${minutes}:${seconds}`;
  const nanos = BigInt((fraction ?? '').padEnd(9, '0'));
  if (zone !== undefined) {
    const instant = fromRFC3339(`${clock}${zone}`);
    return instant === null ? null : instant + nanos;
  }
  const ms = Date.parse(clock);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1_000_000n + nanos;
}

/** `1136073600.000000001`: as many of nine digits as are given. */
function unixTime(text: string): Nanos {
  const point = text.indexOf('.');
  const seconds = goInteger(point < 0 ? text : text.slice(0, point));
  if (point < 0) return seconds * SECOND;
  const fraction = text.slice(point + 1);
  return seconds * SECOND + goInteger(fraction) * 10n ** BigInt(Math.max(0, 9 - fraction.length));
}

/** Go's strconv.ParseInt, in its words. */
function goInteger(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new InvalidParameter(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(64, value) !== value) throw outOfRange(text);
  return value;
}

function outOfRange(text: string): InvalidParameter {
  return new InvalidParameter(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
}
