import { ReadableStream } from 'node:stream/web';
import xz from 'xz-decompress';
import { messageOf } from '../std/thrown.ts';

/** What the decoder's numbers mean: `enum xz_ret` of XZ Embedded, linux/xz.h. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['3', 'xz: out of memory'],
  ['4', 'xz: its dictionary is larger than 64 MiB'],
  ['5', 'xz: invalid header'],
  ['6', 'xz: only LZMA2 with CRC32, CRC64 or no check is supported here'],
  ['7', 'xz: invalid data'],
  ['8', 'unexpected EOF'],
]);

/**
 * The bytes of `source` out of xz: 64 KiB at a time, with a dictionary of 64 MiB at the most, every check sum checked, and
 * of several streams in a row all. Fails with the words of `REASONS`, and as `source` fails.
 */
export async function* unxz(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* new xz.XzReadableStream(ReadableStream.from(source));
  } catch (error) {
    const [, code = ''] = /^get_next_output failed with error code (\d+)$/.exec(messageOf(error)) ?? [];
    const reason = REASONS.get(code);
    throw reason === undefined ? error : new Error(reason, { cause: error });
  }
}
