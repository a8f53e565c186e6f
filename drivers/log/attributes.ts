import { matchingWithin } from '../../std/bounded-match.ts';
import type { LogSubject } from './driver.ts';
import type { LogOptions } from './options.ts';
import { renderTag } from './tag.ts';

/** A pattern that takes longer matches nothing. */
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
  for (const name of matchingWithin(MATCH_TIMEOUT_MS, [pattern], [...from.keys()]) ?? [])
    into[name] = from.get(name) ?? '';
}

function splitOnce(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}
