import { createContext, Script } from 'node:vm';
import type { LogSubject } from './driver.ts';
import type { LogOptions } from './options.ts';
import { renderTag } from './tag.ts';

/** A pattern comes from a user, and JavaScript's patterns backtrack: one that takes longer matches nothing. */
const MATCH_TIMEOUT_MS = 20;

/** The labels and variables that `labels`, `labels-regex`, `env` and `env-regex` choose, and the tag if one was asked for. */
export function attributesOf(options: LogOptions, subject: LogSubject): Record<string, string> {
  const chosen: Record<string, string> = Object.create(null);
  const env = new Map(subject.env.map((each) => splitOnce(each)));
  choose(new Map(Object.entries(subject.labels)), options['labels'], options['labels-regex'], chosen);
  choose(env, options['env'], options['env-regex'], chosen);
  const tag = renderTag(options['tag'] ?? '', subject);
  if (tag !== '') chosen['tag'] = tag;
  return chosen;
}

function choose(
  from: ReadonlyMap<string, string>,
  names: string | undefined,
  pattern: string | undefined,
  into: Record<string, string>,
): void {
  for (const name of names?.split(',') ?? []) {
    const value = from.get(name);
    if (value !== undefined) into[name] = value;
  }
  if (pattern === undefined || pattern === '') return;
  for (const name of matching([...from.keys()], pattern)) into[name] = from.get(name) ?? '';
}

function matching(names: readonly string[], pattern: string): string[] {
  const context = createContext({ names, pattern, found: [] });
  try {
    const script = new Script(
      '{ const regexp = new RegExp(pattern); names.filter((name) => regexp.test(name)).join("\\0") }',
    );
    const found: unknown = script.runInContext(context, { timeout: MATCH_TIMEOUT_MS });
    return typeof found === 'string' && found !== '' ? found.split('\0') : [];
  } catch {
    return [];
  }
}

function splitOnce(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}
