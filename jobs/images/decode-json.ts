import { InvalidParameter } from '../../api/errors.ts';
import { DecodeError } from '../../std/decode.ts';
import { parseJSON } from '../../std/parse-json.ts';

/** Reads a file of an archive, bytes or already a JSON value. Fails with InvalidParameter that names the file. */
export function decodeJSON<T>(source: unknown, name: string, decode: (value: unknown) => T): T {
  try {
    return decode(Buffer.isBuffer(source) ? parseJSON(source.toString('utf8')) : source);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof DecodeError)) throw error;
    throw new InvalidParameter(`invalid archive: failed to decode ${name}: ${error.message}`, { cause: error });
  }
}
