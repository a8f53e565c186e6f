import { isObject } from '../std/decode.ts';
import { UsageError } from './host.ts';

type Json = { [key: string]: unknown };

/**
 * `-e` words of `gantry job` → env: `Image=busybox`, `HostConfig.Memory=67108864`, `Cmd=["sh"]`. A value is JSON where it
 * parses, else text; dots lead into nested objects. Fails with UsageError.
 */
export function envOf(words: readonly string[]): Json {
  const env: Json = Object.create(null);
  for (const word of words) {
    const cut = word.indexOf('=');
    if (cut < 1) throw new UsageError(`invalid env ${JSON.stringify(word)}: expected KEY=VALUE`);
    set(env, word.slice(0, cut), jsonOrText(word.slice(cut + 1)));
  }
  return env;
}

function set(env: Json, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  if (last === '' || keys.includes('')) throw new UsageError(`invalid env key ${JSON.stringify(path)}`);
  let place = env;
  for (const key of keys) {
    const inner = place[key] ?? Object.create(null);
    if (!isObject(inner)) throw new UsageError(`env ${path}: ${key} has a value of its own already`);
    place[key] = inner;
    place = inner;
  }
  place[last] = value;
}

function jsonOrText(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // A number that a double does not hold as it was written is rather told as text than changed.
    return typeof value === 'number' && !Number.isSafeInteger(value) && Number.isInteger(value) ? text : value;
  } catch {
    return text;
  }
}
