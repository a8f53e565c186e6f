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
import { CHUNK_BYTES, type FromWorker, type InflateRequest, type ToWorker, WINDOW } from './inflate-messages.ts';

const MAGIC: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

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
    const plain = compression === null ? this.#file(null) : decompress(compression, Readable.from(this.#file(raw)));
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
    const { size, freeBytes, maxRatio } = this.#request;
    const most = Math.max(freeBytes, size * maxRatio);
    if (this.#written <= most) return;
    throw new RangeError(
      `layer of ${size} bytes unpacks to more than ${most}: over ${freeBytes} bytes at most ${maxRatio} times its size is accepted`,
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

  #compression(): string | null {
    const { fd, offset, size } = this.#request;
    const head = Buffer.alloc(Math.min(8, size));
    readSync(fd, head, 0, head.length, offset);
    return MAGIC.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte))?.[0] ?? null;
  }
}

function decompress(compression: string, source: Readable): AsyncIterable<Buffer> {
  const inflater = inflaterFor(compression);
  source.on('error', (error) => inflater.destroy(error));
  return source.pipe(inflater);
}

function inflaterFor(compression: string): Transform {
  if (compression === 'gzip') return zlib.createGunzip({ chunkSize: CHUNK_BYTES });
  if (compression === 'zstd') {
    // Node has it from 22.15 on.
    const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
    const made: unknown = typeof create === 'function' ? create() : null;
    if (made instanceof Transform) return made;
  }
  throw new Error(`layer is compressed with ${compression}: only gzip and no compression are supported here`);
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
