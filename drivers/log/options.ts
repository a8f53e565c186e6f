/** The values of `--log-opt`, read as Go and go-units read them, with their words for what is wrong. */

import { InvalidParameter } from '../../api/errors.ts';
import { messageOf } from '../../std/thrown.ts';
import type { LogDriver } from './driver.ts';
import { checkTag } from './tag.ts';
import { UnusableLog } from './unusable.ts';

export type LogOptions = Readonly<Record<string, string>>;

const EVERY_DRIVER = ['mode', 'max-buffer-size'];
const DECIMAL = 1000;
const BINARY = 1024;
const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** What Docker checks at create: names of options, and the way a log is delivered. */
export function checkOptions(name: LogDriver['name'], options: LogOptions, known: readonly string[]): void {
  const mode = options['mode'] ?? '';
  if (!['', 'blocking', 'non-blocking'].includes(mode)) {
    throw new InvalidParameter(`logger: logging mode not supported: ${mode}`);
  }
  const buffer = options['max-buffer-size'];
  if (buffer !== undefined) {
    if (mode !== 'non-blocking') {
      throw new InvalidParameter("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    }
    if (size(buffer, BINARY) === null) {
      throw new InvalidParameter(`error parsing option max-buffer-size: invalid size: '${buffer}'`);
    }
  }
  const unknown = Object.keys(options).find((option) => !known.includes(option) && !EVERY_DRIVER.includes(option));
  if (unknown === undefined) return;
  const driver = name === 'local' ? 'log driver local' : `${name} log driver`;
  throw new InvalidParameter(`unknown log opt '${unknown}' for ${driver}`);
}

/** Bytes: `10m` is ten million, as go-units' FromHumanSize has it. What no file can reach is the most there is. */
export function byteSize(text: string, context = ''): number {
  const bytes = size(text, DECIMAL);
  if (bytes === null) throw new UnusableLog(`${context}invalid size: '${text}'`);
  return Math.min(bytes, Number.MAX_SAFE_INTEGER);
}

/** How many files a monitor keeps at the most: `max_file` of native/options.c. */
export const MAX_FILES = 65_535;

/** Go's strconv.Atoi. */
export function wholeNumber(text: string, context = ''): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new UnusableLog(`${context}strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new UnusableLog(`${context}strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return value;
}

/** Go's strconv.ParseBool. */
export function truth(text: string, context = ''): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw new UnusableLog(`${context}strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** The options that say which attributes a log has. */
export function checkAttributeOptions(options: LogOptions): void {
  checkTag(options['tag'] ?? '');
  for (const name of ['labels-regex', 'env-regex']) {
    const pattern = options[name];
    if (pattern === undefined) continue;
    try {
      new RegExp(pattern);
    } catch (cause) {
      throw new UnusableLog(`error parsing regexp: ${messageOf(cause)}`);
    }
  }
}

function size(text: string, step: number): number | null {
  const match = /^(\d+(?:\.\d+)*) ?([kKmMgGtTpP])?[iI]?[bB]?$/.exec(text);
  const value = Number(match?.[1] ?? Number.NaN);
  if (match === null || Number.isNaN(value)) return null;
  return Math.floor(value * step ** UNITS.indexOf((match[2] ?? '').toLowerCase()));
}
