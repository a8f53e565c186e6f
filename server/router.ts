import findMyWay from 'find-my-way';
import { InvalidParameter, NotFound } from '../api/errors.ts';
import { Query } from './query.ts';
import type { Method, Params, Route } from './route.ts';
import { type ApiVersion, isAtLeast, negotiate } from './version.ts';

/** No name of ours is longer, percent signs included. */
const MAX_PARAM_LENGTH = 4096;

export interface Match {
  readonly route: Route;
  readonly params: Params;
  readonly path: string;
  readonly query: Query;
  readonly version: ApiVersion;
}

/** A row as the tree has it: what comes behind a `:name+`, and the name of that placeholder. */
interface Leaf {
  readonly route: Route;
  readonly greedy: string | null;
  readonly suffix: string;
}

/**
 * `/v1.44/images/a/b:c/json` → a row, its placeholders and the version. A tree finds the path; where a name may have
 * slashes the tree ends in a wildcard, and the longest of the endings that its rows have decides.
 */
export class Router {
  readonly #tree = findMyWay({ maxParamLength: MAX_PARAM_LENGTH });

  constructor(routes: readonly Route[]) {
    const leaves = new Map<string, Leaf[]>();
    for (const route of routes) {
      const { pattern, leaf } = compile(route);
      const key = `${route.method} ${pattern}`;
      const known = leaves.get(key);
      if (known !== undefined) {
        known.push(leaf);
        continue;
      }
      const all = [leaf];
      leaves.set(key, all);
      this.#tree.on(route.method, pattern, () => {}, all);
    }
  }

  /** Fails with NotFound('page not found') and, where the path is known but not in that version, InvalidParameter. */
  match(method: string, url: string): Match {
    const { asked, path, query } = split(url);
    const found = isMethod(method) ? this.#tree.find(method, path) : null;
    const leaves: unknown = found?.store;
    const hit = Array.isArray(leaves) ? choose(leaves, found?.params ?? {}) : null;
    if (hit === null) throw new NotFound('page not found');
    const version = negotiate(asked);
    refuseOutside(hit.route, version);
    return { ...hit, path, query: new Query(query), version };
  }
}

function compile(route: Route): { pattern: string; leaf: Leaf } {
  const greedy = /^(.*\/):(\w+)\+(.*)$/.exec(route.path);
  if (greedy === null) return { pattern: route.path, leaf: { route, greedy: null, suffix: '' } };
  const [, prefix = '', name = '', suffix = ''] = greedy;
  return { pattern: `${prefix}*`, leaf: { route, greedy: name, suffix } };
}

function split(url: string): { asked: string | null; path: string; query: string } {
  const mark = url.indexOf('?');
  const whole = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const versioned = /^\/v([0-9.]+)(\/.*)$/.exec(whole);
  return { asked: versioned?.[1] ?? null, path: versioned?.[2] ?? whole, query };
}

function choose(
  leaves: readonly Leaf[],
  found: Readonly<Record<string, string | undefined>>,
): { route: Route; params: Params } | null {
  const rest = found['*'] ?? '';
  const fitting = leaves.filter(
    (leaf) => leaf.greedy === null || (rest.endsWith(leaf.suffix) && rest.length > leaf.suffix.length),
  );
  const best = fitting.sort((a, b) => b.suffix.length - a.suffix.length)[0];
  if (best === undefined) return null;
  if (Object.values(found).includes('')) return null;
  const values = new Map(Object.entries(found));
  if (best.greedy !== null) values.set(best.greedy, rest.slice(0, rest.length - best.suffix.length));
  return { route: best.route, params: { get: (name) => values.get(name) ?? '' } };
}

function refuseOutside(route: Route, version: ApiVersion): void {
  const { method, path, since, until } = route;
  if (since !== undefined && !isAtLeast(version, since)) {
    throw new InvalidParameter(`${method} ${path} requires minimum API version ${since}`);
  }
  if (until !== undefined && !isAtLeast(until, version)) throw new NotFound('page not found');
}

function isMethod(method: string): method is Method {
  return ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'].includes(method);
}
