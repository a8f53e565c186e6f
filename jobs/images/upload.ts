import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InvalidParameter } from '../../api/errors.ts';
import { compressionOf, isSupported, MAGIC_BYTES, refusalOf } from '../../state/compression.ts';
import { Inflater } from '../../state/inflate.ts';
import type { Spool } from './spool.ts';

/** What a compressed upload may unpack to: 4 GiB whatever its size, and beyond that 256 times its size. */
const FREE_BYTES = 4 * 1024 ** 3;
const MAX_RATIO = 256;
const CHUNK_BYTES = 1024 ** 2;

/**
 * The bytes of an upload, out of the compression in which they are: gzip as it comes, on zlib's own threads; another once
 * it is in `spool`, in a thread of its own. Fails with InvalidParameter: for a compression that is not supported, for what
 * unpacks to more than is accepted, and where the bytes are bad.
 */
export async function* uncompressed(
  upload: Readable,
  spool: Spool,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const counted = new Counted(upload, signal);
  const compression = compressionOf(await counted.head(MAGIC_BYTES));
  if (compression === null) return yield* counted.chunks();
  if (compression === 'gzip') return yield* gunzipped(counted);
  if (!isSupported(compression)) throw new InvalidParameter(refusalOf('archive', compression));
  const part = await spool.append(counted.chunks());
  await using inflater = new Inflater({ freeBytes: FREE_BYTES, maxRatio: MAX_RATIO });
  yield* buffersOf(inflater.inflate(part, { what: 'archive', signal }).tar);
}

async function* gunzipped(counted: Counted): AsyncGenerator<Buffer, void, undefined> {
  const source = Readable.from(counted.chunks());
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  source.on('error', (error) => gunzip.destroy(error));
  let unpacked = 0;
  try {
    for await (const chunk of source.pipe(gunzip)) {
      unpacked += chunk.length;
      checkBound(unpacked, counted.read);
      yield chunk;
    }
  } catch (error) {
    throw worded(error);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** Every chunk of an upload as it is. Fails with InvalidParameter when the caller goes away in the middle. */
export async function* chunksOf(upload: Readable, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  const stop = () => upload.destroy(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
  signal.throwIfAborted();
  signal.addEventListener('abort', stop, { once: true });
  try {
    // The stream is the caller's, who has yet to answer on the same connection: it is not destroyed from here.
    yield* buffersOf(upload.iterator({ destroyOnReturn: false }));
  } catch (error) {
    signal.throwIfAborted();
    throw new InvalidParameter('unexpected EOF', { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function* buffersOf(chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

/** An upload whose first bytes can be looked at, and that knows how much of it was read. */
class Counted {
  readonly #source: AsyncGenerator<Buffer, void, undefined>;
  #head: Buffer = Buffer.alloc(0);
  read = 0;

  constructor(upload: Readable, signal: AbortSignal) {
    this.#source = chunksOf(upload, signal);
  }

  async head(bytes: number): Promise<Buffer> {
    while (this.#head.length < bytes) {
      const next = await this.#source.next();
      if (next.done === true) break;
      this.#head = Buffer.concat([this.#head, next.value]);
    }
    return this.#head;
  }

  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    this.read = this.#head.length;
    if (this.#head.length > 0) yield this.#head;
    for await (const chunk of this.#source) {
      this.read += chunk.length;
      yield chunk;
    }
  }
}

function checkBound(unpacked: number, read: number): void {
  const most = Math.max(FREE_BYTES, read * MAX_RATIO);
  if (unpacked <= most) return;
  throw new InvalidParameter(
    `archive of ${read} bytes unpacks to more than ${most}: over ${FREE_BYTES} bytes at most ${MAX_RATIO} times its size is accepted`,
  );
}

function worded(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (error.code === 'Z_BUF_ERROR') return new InvalidParameter('unexpected EOF', { cause: error });
  return error.code.startsWith('Z_') ? new InvalidParameter(`gzip: ${error.message}`, { cause: error }) : error;
}
