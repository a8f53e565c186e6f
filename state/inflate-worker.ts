/**
 * The other end of `inflate.ts`, in a thread of its own: reads a part of a file, takes it out of its compression, hashes
 * it, and hands it over in large chunks, of which at most `WINDOW` are on their way.
 */
import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { parentPort } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import { messageOf } from '../std/thrown.ts';
import { type Compression, compressionOf, MAGIC_BYTES, refusalOf } from './compression.ts';
import { CHUNK_BYTES, type FromWorker, type InflateRequest, type ToWorker, WINDOW } from './inflate-messages.ts';
import { unxz } from './unxz.ts';

class Inflating {
  readonly #request: InflateRequest;
  readonly #send: (message: FromWorker, chunk?: ArrayBuffer) => void;
  readonly #inner = createHash('sha256');
  readonly #outer = createHash('sha256');
  #onWay = 0;
  #read = 0;
  #written = 0;
  #roomMade: () => void = () => {};

  constructor(request: InflateRequest, send: (message: FromWorker, chunk?: ArrayBuffer) => void) {
    this.#request = request;
    this.#send = send;
  }

  taken(): void {
    this.#onWay--;
    this.#roomMade();
  }

  async run(): Promise<void> {
    const compression = this.#compression();
    const raw = compression === null ? null : this.#outer;
    const plain =
      compression === null
        ? this.#file(null)
        : decompress(compression, Readable.from(this.#file(raw)), this.#request.what);
    let filling = new Uint8Array(CHUNK_BYTES);
    let filled = 0;
    for await (const chunk of plain) {
      this.#count(chunk);
      for (let rest: Uint8Array = chunk; rest.length > 0; ) {
        const part = rest.subarray(0, CHUNK_BYTES - filled);
        filling.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
        if (filled < CHUNK_BYTES) continue;
        await this.#hand(filling);
        filling = new Uint8Array(CHUNK_BYTES);
        filled = 0;
      }
    }
    if (filled > 0) await this.#hand(filling.slice(0, filled));
    const inner = digestOf(this.#inner);
    this.#send({ kind: 'end', diffID: inner, digest: raw === null ? inner : digestOf(raw) });
  }

  async #hand(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    while (this.#onWay >= WINDOW) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve;
      });
    }
    this.#onWay++;
    this.#send({ kind: 'chunk', bytes, read: this.#read }, bytes.buffer);
  }

  #count(chunk: Uint8Array): void {
    this.#inner.update(chunk);
    this.#written += chunk.length;
    const { what, size, freeBytes, maxRatio } = this.#request;
    const most = Math.max(freeBytes, size * maxRatio);
    if (this.#written <= most) return;
    throw new RangeError(
      `${what} of ${size} bytes unpacks to more than ${most}: over ${freeBytes} bytes at most ${maxRatio} times its size is accepted`,
    );
  }

  *#file(hash: Hash | null): Generator<Buffer, void, undefined> {
    const { fd, offset, size } = this.#request;
    while (this.#read < size) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - this.#read));
      const count = readSync(fd, chunk, 0, chunk.length, offset + this.#read);
      if (count === 0) throw new Error('unexpected EOF');
      this.#read += count;
      const bytes = chunk.subarray(0, count);
      hash?.update(bytes);
      yield bytes;
    }
  }

  #compression(): Compression | null {
    const { fd, offset, size } = this.#request;
    const head = Buffer.alloc(Math.min(MAGIC_BYTES, size));
    readSync(fd, head, 0, head.length, offset);
    return compressionOf(head);
  }
}

function decompress(compression: Compression, source: Readable, what: string): AsyncIterable<Uint8Array> {
  if (compression === 'xz') return unxz(source);
  const inflater = inflaterFor(compression, what);
  source.on('error', (error) => inflater.destroy(error));
  return source.pipe(inflater);
}

function inflaterFor(compression: Compression, what: string): Transform {
  if (compression === 'gzip') return zlib.createGunzip({ chunkSize: CHUNK_BYTES });
  if (compression === 'zstd') {
    // Node has it from 22.15 on.
    const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
    const made: unknown = typeof create === 'function' ? create() : null;
    if (made instanceof Transform) return made;
  }
  throw new Error(refusalOf(what, compression));
}

const digestOf = (hash: Hash): string => `sha256:${hash.digest('hex')}`;

const port = parentPort;
if (port !== null) {
  let current: Inflating | null = null;
  const send = (message: FromWorker, chunk?: ArrayBuffer) => port.postMessage(message, chunk ? [chunk] : []);
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'taken') return current?.taken();
    current = new Inflating(message, send);
    current.run().catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      send({ kind: 'error', code, message: messageOf(error) });
    });
    return undefined;
  });
}
