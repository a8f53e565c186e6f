import { InvalidParameter } from './errors.ts';

/** signal(7) of Linux; the index is the number, less one. 32 and 33 belong to the C library. */
const NAMES: readonly string[] = [
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'STKFLT',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'IO',
  'PWR',
  'SYS',
];
const ALIASES: ReadonlyMap<string, number> = new Map([
  ['IOT', 6],
  ['CLD', 17],
  ['POLL', 29],
]);
const RTMIN = 34;
const RTMAX = 64;

export const SIGKILL = 9;
export const SIGTERM = 15;

/** `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3` → 15, …. Fails with InvalidParameter in Docker's words. */
export function parseSignal(text: string): number {
  return supportedSignal(signalNumber(text));
}

/** As `parseSignal`, but a number may be one that this kernel has no signal for. */
export function signalNumber(text: string): number {
  if (/^-?\d+$/.test(text)) return nonZero(Number(text), text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  const plain = NAMES.indexOf(name) + 1;
  const number = plain > 0 ? plain : (ALIASES.get(name) ?? realTime(name));
  if (number === null) throw new InvalidParameter(`Invalid signal: ${text}`);
  return number;
}

/** Fails with InvalidParameter in Docker's words. */
export function supportedSignal(number: number): number {
  if (number < 0 || number > RTMAX || number === 32 || number === 33) {
    throw new InvalidParameter(`The linux daemon does not support signal ${number}`);
  }
  return number;
}

function nonZero(number: number, text: string): number {
  if (number === 0) throw new InvalidParameter(`Invalid signal: ${text}`);
  return number;
}

function realTime(name: string): number | null {
  const match = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (match === null) return null;
  const [, end, sign, offset = '0'] = match;
  if (sign !== undefined && (sign === '+') !== (end === 'MIN')) return null;
  const number = end === 'MIN' ? RTMIN + Number(offset) : RTMAX - Number(offset);
  return number >= RTMIN && number <= RTMAX ? number : null;
}
