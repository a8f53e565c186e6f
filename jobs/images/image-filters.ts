/** The filters of `docker images`, compiled once for a list (moby, daemon/images/image_list.go). */
import { InvalidParameter } from '../../api/errors.ts';
import type { Filters } from '../../api/filters.ts';
import type { Image } from '../../api/image.ts';
import { parseInstant } from '../../api/instant.ts';
import { canonical, familiar, familiarName, type Reference } from '../../api/reference.ts';
import { findImage } from '../../state/find-image.ts';
import { compileGlob } from '../../std/glob.ts';
import { fromRFC3339, type Nanos, now } from '../../std/timestamp.ts';
import type { Daemon } from '../daemon.ts';

type Deps = Pick<Daemon, 'images' | 'references'>;

const ALLOWED = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'];

export interface ImageFilter {
  /** By what the image itself is: its age, its labels. */
  accepts(image: Image): boolean;
  /** Of its names, those that are shown. */
  shown(references: readonly Reference[]): readonly Reference[];
  /** Whether an image that is shown under these names is in the list. */
  acceptsNames(shown: readonly Reference[]): boolean;
}

/** Fails with InvalidParameter, and NoSuchImage where `before` or `since` name none. */
export function imageFilter(deps: Deps, filters: Filters): ImageFilter {
  for (const key of filters.keys()) {
    if (!ALLOWED.includes(key)) throw new InvalidParameter(`Invalid filter '${key}'`);
  }
  const [oldest, newest] = bounds(deps, filters);
  const dangling = danglingOf(filters.get('dangling'));
  const patterns = filters.get('reference')?.map(globOf) ?? null;
  return {
    accepts: (image) => {
      const created = createdAt(image);
      if (newest !== null && (created === null || created >= newest)) return false;
      if (oldest !== null && (created === null || created <= oldest)) return false;
      const labels = image.config.config.Labels ?? {};
      const isLabelled = (wanted: string) => hasLabel(labels, wanted);
      return (filters.get('label') ?? []).every(isLabelled) && !(filters.get('label!') ?? []).some(isLabelled);
    },
    shown: (references) =>
      patterns === null ? references : references.filter((each) => patterns.some((isMatch) => isMatch(each))),
    acceptsNames: (shown) => {
      const isDangling = !shown.some(({ tag }) => tag !== null);
      if (shown.length === 0 && patterns !== null) return false;
      if (dangling === true) return isDangling;
      return dangling === null || shown.length > 0;
    },
  };
}

/** ns since 1970; null where the config does not say. */
export function createdAt({ config }: Image): Nanos | null {
  return fromRFC3339(config.created);
}

/** Made after the first and before the second. Of several values the narrowest counts. */
function bounds(deps: Deps, filters: Filters): readonly [Nanos | null, Nanos | null] {
  const ages = (key: string) => (filters.get(key) ?? []).flatMap((text) => createdAt(findImage(deps, text)) ?? []);
  const instant = now();
  const until = (filters.get('until') ?? []).flatMap((text) => parseInstant(text, instant) ?? []);
  const since = ages('since').sort(byAge);
  const before = [...ages('before'), ...until].sort(byAge);
  return [since.at(-1) ?? null, before[0] ?? null];
}

const byAge = (a: Nanos, b: Nanos): number => (a < b ? -1 : 1);

function danglingOf(values: readonly string[] | undefined): boolean | null {
  if (values === undefined || values.length === 0) return null;
  const isTrue = values.some((value) => value === 'true' || value === '1');
  const isFalse = values.some((value) => value === 'false' || value === '0');
  if (isTrue === isFalse) throw new InvalidParameter(`Invalid filter 'dangling=[${values.join(' ')}]'`);
  return isTrue;
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  const name = equals < 0 ? wanted : wanted.slice(0, equals);
  return Object.hasOwn(labels, name) && (equals < 0 || labels[name] === wanted.slice(equals + 1));
}

function globOf(pattern: string): (reference: Reference) => boolean {
  const isMatch = pattern.length > 1024 ? null : compileGlob(pattern);
  if (isMatch === null) throw new InvalidParameter('syntax error in pattern');
  return (reference) =>
    [familiar(reference), familiarName(reference), canonical(reference), reference.name].some(isMatch);
}
