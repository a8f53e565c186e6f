import createDebug from 'debug';
import { EngineError, InvalidParameter } from '../api/errors.ts';
import { DecodeError } from '../std/decode.ts';
import { messageOf } from '../std/thrown.ts';
import type { ShortAnswer } from './route.ts';
import { TooOld } from './version.ts';

const debug = createDebug('gantry:server:failure');
const warn = createDebug('gantry:warn:server');

/** What the caller is told of an error: Docker's `{"message": …}`. What is not an EngineError is a bug, and said so. */
export function answerOf(error: unknown, about: string): ShortAnswer {
  if (error instanceof TooOld) return { status: error.httpStatus, text: `${error.message}\n` };
  if (error instanceof DecodeError) return answerOf(new InvalidParameter(`invalid JSON: ${error.message}`), about);
  if (error instanceof EngineError) {
    debug('%s: %d %s', about, error.httpStatus, error.message);
    return { status: error.httpStatus, json: { message: error.message } };
  }
  if (isAbort(error)) return { status: 499, json: { message: 'the client has gone away' } };
  warn('%s: bug: %O', about, error);
  return { status: 500, json: { message: messageOf(error) } };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
