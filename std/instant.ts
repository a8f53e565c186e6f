import { fromRFC3339, type Nanos } from './timestamp.ts';

const UNITS: Readonly<Record<string, number>> = { h: 3600e9, m: 60e9, s: 1e9, ms: 1e6, us: 1e3, µs: 1e3, ns: 1 };
/** What a shorter form of RFC 3339 leaves out. */
const MIDNIGHT = 'T00:00:00Z';

/**
 * An instant in any of the words that Docker's queries take: Unix seconds with an optional fraction, RFC 3339 whole or
 * cut short (taken as UTC), or a Go duration back from `now`, such as `1h30m`. null where it is none.
 */
export function parseInstant(text: string, now: Nanos): Nanos | null {
  return fromUnix(text) ?? fromRFC3339(text) ?? fromCutShort(text) ?? ago(text, now);
}

function fromUnix(text: string): Nanos | null {
  const match = /^(-?\d{1,18})(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return null;
  const [, seconds = '', fraction = ''] = match;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function fromCutShort(text: string): Nanos | null {
  if (!/^\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?)?$/.test(text)) return null;
  const fraction = text.slice(19);
  const whole = text.slice(0, 19);
  return fromRFC3339(`${whole}${MIDNIGHT.slice(whole.length - 10, -1)}${fraction}Z`);
}

function ago(text: string, now: Nanos): Nanos | null {
  if (!/^([0-9.]+(h|ms|m|s|us|µs|ns))+$/.test(text)) return null;
  let nanos = 0;
  for (const [, count, unit = ''] of text.matchAll(/([0-9.]+)(h|ms|m|s|us|µs|ns)/g)) {
    nanos += Number(count) * (UNITS[unit] ?? 0);
  }
  return Number.isFinite(nanos) ? now - BigInt(Math.round(nanos)) : null;
}
