import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InvalidParameter } from '../../api/errors.ts';

/** What a compressed upload may unpack to: 4 GiB whatever its size, and beyond that 256 times its size. */
const FREE_BYTES = 4 * 1024 ** 3;
const MAX_RATIO = 256;
const CHUNK_BYTES = 1024 ** 2;

const REFUSED: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/**
 * The bytes of an upload, out of their gzip where they are in one (on zlib's own threads). Fails with InvalidParameter:
 * for another compression, for one that unpacks to more than is accepted, and where the bytes are bad.
 */
export async function* uncompressed(upload: Readable, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  const counted = new Counted(upload, signal);
  const head = await counted.head(6);
  const refused = REFUSED.find(([, magic]) => startsWith(head, magic));
  if (refused !== undefined) {
    throw new InvalidParameter(
      `archive is compressed with ${refused[0]}: only gzip and no compression are supported here`,
    );
  }
  if (!startsWith(head, [0x1f, 0x8b])) return yield* counted.chunks();
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
    for await (const chunk of upload.iterator({ destroyOnReturn: false }))
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
  } catch (error) {
    signal.throwIfAborted();
    throw new InvalidParameter('unexpected EOF', { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
  }
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

const startsWith = (bytes: Buffer, magic: readonly number[]): boolean =>
  bytes.length >= magic.length && magic.every((byte, index) => bytes[index] === byte);
