import { channel } from 'node:diagnostics_channel';
import { getSystemErrorName } from 'node:util';
import createDebug from 'debug';
import { OperationFailed } from '../../../api/errors.ts';
import type { Outcome } from './binding.ts';

const debug = createDebug('gantry:kernel');
const traced = channel('gantry:syscall');

/**
 * Takes the outcome of a raw call: tells the log as strace would, and the trace page, and turns -errno into
 * OperationFailed. `name` is the man page's, `args` what to show of the arguments.
 */
export function checked(name: string, args: readonly (string | number)[], outcome: Outcome): Outcome {
  if (debug.enabled) debug('%s(%s) = %s', name, args.join(', '), shown(outcome));
  if (traced.hasSubscribers) traced.publish({ name, args, outcome: shown(outcome) });
  if (typeof outcome === 'number' && outcome < 0) throw failure(name, args, outcome);
  return outcome;
}

/** For a call that answers a number: a descriptor, or 0. */
export function checkedNumber(name: string, args: readonly (string | number)[], outcome: Outcome): number {
  const value = checked(name, args, outcome);
  if (typeof value !== 'number') throw new TypeError(`${name}: got bytes for a number`);
  return value;
}

/** For a call that answers bytes. */
export function checkedBytes(name: string, args: readonly (string | number)[], outcome: Outcome): Buffer {
  const value = checked(name, args, outcome);
  if (typeof value === 'number') throw new TypeError(`${name}: got a number for bytes`);
  return value;
}

/** `openat2(7, var/run): ENOENT`. */
export function failure(name: string, args: readonly (string | number)[], outcome: number): OperationFailed {
  const errno = getSystemErrorName(outcome);
  return new OperationFailed(name, errno, `${name}(${args.join(', ')}): ${errno}`);
}

/** Whether `error` is a failed call with one of these errnos. */
export function isErrno(error: unknown, ...errnos: readonly string[]): error is OperationFailed {
  return error instanceof OperationFailed && errnos.includes(error.errno);
}

function shown(outcome: Outcome): string {
  if (typeof outcome !== 'number') return `${outcome.length} bytes`;
  return outcome < 0 ? getSystemErrorName(outcome) : String(outcome);
}
