/**
 * `[domain[:port]/]path[:tag][@digest]`, read and completed as Docker does (distribution/reference, `reference.go` and
 * `normalize.go`): `busybox` is `docker.io/library/busybox`, and only its full form is ever compared or stored.
 */
import { InvalidParameter } from './errors.ts';

export interface Reference {
  /** With domain: `docker.io/library/busybox`. */
  readonly name: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DEFAULT_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library/';
const MAX_PATH_LENGTH = 255;
/** Far more than the longest valid one: domain 253, path 255, tag 128, digest. */
const MAX_LENGTH = 1024;

const SEPARATOR = '(?:[._]|__|-+)';
const PATH_PART = `[a-z0-9]+(?:${SEPARATOR}[a-z0-9]+)*`;
const HOST_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = String.raw`(?:${HOST_PART}(?:\.${HOST_PART})*|\[[a-fA-F0-9:]+\])`;
const DOMAIN = `${HOST}(?::[0-9]+)?`;
const TAG = String.raw`\w[\w.-]{0,127}`;
const ALGORITHM = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*';
const DIGEST = `${ALGORITHM}:[0-9a-fA-F]{32,}`;
const REFERENCE = new RegExp(`^((?:${DOMAIN})/)?(${PATH_PART}(?:/${PATH_PART})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`);
const WHOLE_TAG = new RegExp(`^${TAG}$`);
const IDENTIFIER = /^[a-f0-9]{64}$/;

/** Hex digits of each digest algorithm that may be written. */
const DIGEST_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/** Fails with InvalidParameter('invalid reference format'), and its variants for upper case and bare ids. */
export function parseReference(text: string): Reference {
  if (text.length > MAX_LENGTH) throw new InvalidParameter('invalid reference format');
  if (IDENTIFIER.test(text)) {
    throw new InvalidParameter(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { domain, rest } = splitDomain(text);
  refuseUpperCase(rest);
  const match = REFERENCE.exec(`${domain}/${rest}`);
  if (match === null) throw new InvalidParameter('invalid reference format');
  const [, before = '', path = '', tag = null, digest = null] = match;
  if (path.length > MAX_PATH_LENGTH) {
    throw new InvalidParameter(`repository name must not be more than ${MAX_PATH_LENGTH} characters`);
  }
  if (digest !== null) checkDigest(digest);
  return { name: before + path, tag, digest };
}

/** With `latest` where neither tag nor digest is given. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === null && reference.digest === null ? { ...reference, tag: 'latest' } : reference;
}

/** `reference` under another tag. Fails with InvalidParameter in Docker's words. */
export function withTag(reference: Reference, tag: string): Reference {
  if (!WHOLE_TAG.test(tag)) throw new InvalidParameter('invalid tag format');
  return { ...reference, tag };
}

/** As users write it: `busybox:latest`. */
export function familiar(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

export function familiarName({ name }: Reference): string {
  const path = name.startsWith(`${DEFAULT_DOMAIN}/`) ? name.slice(DEFAULT_DOMAIN.length + 1) : null;
  if (path === null) return name;
  const isOfficial = path.startsWith(OFFICIAL) && !path.slice(OFFICIAL.length).includes('/');
  return isOfficial ? path.slice(OFFICIAL.length) : path;
}

/** In full, as it is stored: `docker.io/library/busybox:latest`. */
export function canonical(reference: Reference): string {
  return reference.name + suffix(reference);
}

function suffix({ tag, digest }: Reference): string {
  return (tag === null ? '' : `:${tag}`) + (digest === null ? '' : `@${digest}`);
}

/** What stands before the first slash is a domain when it has a dot, a port or a capital, or is `localhost`. */
function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isDomain = slash > -1 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  let domain = isDomain ? first : DEFAULT_DOMAIN;
  const rest = isDomain ? text.slice(slash + 1) : text;
  if (domain === LEGACY_DEFAULT_DOMAIN) domain = DEFAULT_DOMAIN;
  return { domain, rest: domain === DEFAULT_DOMAIN && !rest.includes('/') ? OFFICIAL + rest : rest };
}

function refuseUpperCase(rest: string): void {
  const colon = rest.indexOf(':');
  const path = colon === -1 ? rest : rest.slice(0, colon);
  if (path === path.toLowerCase()) return;
  throw new InvalidParameter(`invalid reference format: repository name (${path}) must be lowercase`);
}

function checkDigest(digest: string): void {
  const colon = digest.indexOf(':');
  const length = DIGEST_LENGTHS.get(digest.slice(0, colon));
  if (length === undefined) throw new InvalidParameter('unsupported digest algorithm');
  const hex = digest.slice(colon + 1);
  if (hex.length !== length) throw new InvalidParameter('invalid checksum digest length');
  if (hex !== hex.toLowerCase()) throw new InvalidParameter('invalid checksum digest format');
}
