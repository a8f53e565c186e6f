/**
 * `--change` of import: Dockerfile instructions that only say something about the config (CMD, ENTRYPOINT, ENV, EXPOSE,
 * HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR). Pure; errors in dockerd's words (builder/dockerfile).
 */
import { posix } from 'node:path';
import { InvalidParameter } from '../../api/errors.ts';
import { type ImageRunConfig, imageRunConfig } from '../../api/image.ts';
import { parseSignal } from '../../api/signals.ts';
import { parseJSON } from '../../std/parse-json.ts';
import { healthcheckFrom } from './healthcheck.ts';
import { expandWord, splitWords, type Variables } from './shell-words.ts';

const MAX_CHANGES = 100;
const MAX_CHANGE_LENGTH = 64 * 1024;
const SHELL = ['/bin/sh', '-c'];

type Apply = (config: ImageRunConfig, rest: string, variables: Variables) => Partial<ImageRunConfig>;

const INSTRUCTIONS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['cmd', (_config, rest) => ({ Cmd: command(rest) })],
  ['entrypoint', (_config, rest) => ({ Entrypoint: command(rest) })],
  ['env', (config, rest, variables) => ({ Env: merged(config.Env ?? [], pairs('ENV', rest, variables)) })],
  ['expose', (config, rest, variables) => ({ ExposedPorts: { ...config.ExposedPorts, ...ports(rest, variables) } })],
  ['healthcheck', (_config, rest) => ({ Healthcheck: healthcheckFrom(rest, command) })],
  ['label', (config, rest, variables) => ({ Labels: labelled(config, pairs('LABEL', rest, variables)) })],
  ['onbuild', (config, rest) => ({ OnBuild: [...(config.OnBuild ?? []), trigger(rest)] })],
  ['stopsignal', (_config, rest, variables) => ({ StopSignal: signal(only('STOPSIGNAL', rest, variables)) })],
  ['user', (_config, rest, variables) => ({ User: only('USER', rest, variables) })],
  ['volume', (config, rest, variables) => ({ Volumes: { ...config.Volumes, ...volumes(rest, variables) } })],
  ['workdir', (config, rest, variables) => ({ WorkingDir: folder(config, only('WORKDIR', rest, variables)) })],
]);

/** The config that the instructions make of an empty one. Fails with InvalidParameter. */
export function configFrom(changes: readonly string[]): ImageRunConfig {
  const lines = changes.flatMap((change) => linesOf(change));
  if (lines.length > MAX_CHANGES) throw new InvalidParameter(`over ${MAX_CHANGES} changes`);
  return lines.reduce<ImageRunConfig>(changed, imageRunConfig({}, 'config'));
}

/** Instructions, a line each: a backslash at its end joins it to the next, `#` at its beginning makes it a comment. */
function linesOf(change: string): string[] {
  if (change.length > MAX_CHANGE_LENGTH) throw new InvalidParameter(`a change is over ${MAX_CHANGE_LENGTH} characters`);
  const joined = change.replace(/\\[ \t]*\r?\n/g, '');
  return joined.split(/\r?\n/).flatMap((line) => (/^\s*(?:#.*)?$/.test(line) ? [] : [line.trim()]));
}

function changed(config: ImageRunConfig, line: string): ImageRunConfig {
  const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  const apply = INSTRUCTIONS.get(name.toLowerCase());
  if (apply === undefined) throw new InvalidParameter(`${name.toLowerCase()} is not a valid change command`);
  return { ...config, ...apply(config, rest, variablesOf(config)) };
}

function variablesOf({ Env }: ImageRunConfig): Variables {
  return new Map((Env ?? []).map((entry) => splitAt(entry, entry.indexOf('='))));
}

/** `["a","b"]` as it is, anything else for a shell. */
function command(rest: string): string[] {
  return jsonWords(rest) ?? (rest === '' ? [] : [...SHELL, rest]);
}

function jsonWords(rest: string): string[] | null {
  if (!rest.startsWith('[')) return null;
  try {
    const value = parseJSON(rest);
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.map(String);
  } catch {}
  return null;
}

/** `A=1 B="2 3"`, or as it was once `A the rest`. */
function pairs(instruction: string, rest: string, variables: Variables): [string, string][] {
  const words = splitWords(rest);
  const first = words[0];
  if (first === undefined) throw new InvalidParameter(`${instruction} requires at least one argument`);
  if (!first.includes('=')) {
    if (words.length < 2) throw new InvalidParameter(`${instruction} must have two arguments`);
    return [[expandWord(first, variables), expandWord(rest.slice(first.length).trim(), variables)]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) {
      throw new InvalidParameter(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    }
    if (equals === 0) throw new InvalidParameter(`${instruction} names can not be blank`);
    const [name, value] = splitAt(word, equals);
    return [expandWord(name, variables), expandWord(value, variables)];
  });
}

function merged(env: readonly string[], added: readonly (readonly [string, string])[]): string[] {
  const entries = new Map(env.map((entry) => splitAt(entry, entry.indexOf('='))));
  for (const [name, value] of added) entries.set(name, value);
  return [...entries].map(([name, value]) => `${name}=${value}`);
}

function labelled({ Labels }: ImageRunConfig, added: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.assign(Object.create(null), Labels, Object.fromEntries(added));
}

function ports(rest: string, variables: Variables): Record<string, Record<never, never>> {
  const found: Record<string, Record<never, never>> = {};
  for (const word of required('EXPOSE', rest, variables)) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? first);
    if (match === null || first > 65_535 || last > 65_535 || last < first) {
      throw new InvalidParameter(`invalid containerPort: ${word}`);
    }
    for (let port = first; port <= last; port++) found[`${port}/${(match[3] ?? 'tcp').toLowerCase()}`] = {};
  }
  return found;
}

function volumes(rest: string, variables: Variables): Record<string, Record<never, never>> {
  const words = jsonWords(rest) ?? required('VOLUME', rest, variables);
  if (words.length === 0) throw new InvalidParameter('VOLUME requires at least one argument');
  if (words.some((word) => word.trim() === '')) {
    throw new InvalidParameter('VOLUME specified can not be an empty string');
  }
  return Object.assign(Object.create(null), Object.fromEntries(words.map((word) => [word, {}])));
}

function trigger(rest: string): string {
  const name = (/^\S*/.exec(rest)?.[0] ?? '').toUpperCase();
  if (name === '') throw new InvalidParameter('ONBUILD requires at least one argument');
  if (name === 'ONBUILD') throw new InvalidParameter("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (name === 'FROM' || name === 'MAINTAINER') {
    throw new InvalidParameter(`${name} isn't allowed as an ONBUILD trigger`);
  }
  return rest;
}

function signal(text: string): string {
  parseSignal(text);
  return text;
}

function folder({ WorkingDir }: ImageRunConfig, path: string): string {
  return posix.normalize(posix.join('/', path.startsWith('/') ? '' : WorkingDir, path)).replace(/(.)\/$/, '$1');
}

function only(instruction: string, rest: string, variables: Variables): string {
  const words = required(instruction, rest, variables);
  if (words.length > 1) throw new InvalidParameter(`${instruction} requires exactly one argument`);
  return words[0] ?? '';
}

function required(instruction: string, rest: string, variables: Variables): string[] {
  const words = splitWords(rest).map((word) => expandWord(word, variables));
  if (words.length === 0) throw new InvalidParameter(`${instruction} requires at least one argument`);
  return words;
}

function splitAt(text: string, at: number): [string, string] {
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
