/**
 * The body of a request that asks for an upgrade. Node hands over such a connection right behind the headers; the body,
 * where there is one, and what the caller sent behind it come as bytes of the socket.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import { InvalidParameter } from '../api/errors.ts';

const MAX_CHUNK_LINE = 256;
const MAX_TRAILERS = 64;

/** Reads the body and not one byte more: what follows stays in the socket. */
export function upgradeBody(headers: IncomingHttpHeaders, socket: Duplex): Readable {
  const length = Number(headers['content-length'] ?? 0);
  const isChunked = headers['transfer-encoding'] !== undefined;
  if (!isChunked && length === 0) return Readable.from([]);
  return Readable.from(body(new SocketReader(socket), isChunked ? null : length), { objectMode: false });
}

/**
 * Takes away an empty chunked body that came together with the headers: dockerode announces one for an attach and then
 * speaks raw.
 */
export function dropEmptyChunk(headers: IncomingHttpHeaders, socket: Duplex): void {
  if (headers['transfer-encoding'] === undefined) return;
  const ready = socket.read();
  if (!(ready instanceof Buffer)) return;
  const rest = ready.subarray(0, 5).toString('latin1') === '0\r\n\r\n' ? ready.subarray(5) : ready;
  if (rest.length > 0) socket.unshift(rest);
}

async function* body(reader: SocketReader, length: number | null): AsyncGenerator<Buffer> {
  try {
    yield* length === null ? chunked(reader) : counted(reader, length);
  } finally {
    reader.giveBack();
  }
}

async function* counted(reader: SocketReader, length: number): AsyncGenerator<Buffer> {
  for (let left = length; left > 0; ) {
    const bytes = await reader.some(left);
    left -= bytes.length;
    yield bytes;
  }
}

/** Chunks may be a byte each: what is there of them is handed on together. */
async function* chunked(reader: SocketReader): AsyncGenerator<Buffer> {
  const ready: Buffer[] = [];
  for (;;) {
    let left = chunkSize(await reader.line());
    if (left === 0) break;
    while (left > 0) {
      const bytes = await reader.some(left);
      left -= bytes.length;
      ready.push(bytes);
      if (reader.isDry) yield Buffer.concat(ready.splice(0));
    }
    if ((await reader.line()) !== '') throw new InvalidParameter('malformed chunked body');
  }
  if (ready.length > 0) yield Buffer.concat(ready);
  for (let trailers = 0; (await reader.line()) !== ''; trailers++) {
    if (trailers === MAX_TRAILERS) throw new InvalidParameter('malformed chunked body');
  }
}

function chunkSize(text: string): number {
  const digits = /^([0-9a-fA-F]{1,8})$/.exec(text)?.[1];
  if (digits === undefined) throw new InvalidParameter('malformed chunked body');
  return Number.parseInt(digits, 16);
}

/** Keeps what it has taken from the socket and nobody has asked for yet, so that no byte is copied again for every line. */
class SocketReader {
  readonly #socket: Duplex;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** The next bytes have yet to come. */
  get isDry(): boolean {
    return this.#rest.length === 0;
  }

  /** At least one byte, at most `max`. */
  async some(max: number): Promise<Buffer> {
    const have = this.#rest.length > 0 ? this.#rest : await take(this.#socket);
    this.#rest = have.subarray(max);
    return have.subarray(0, max);
  }

  /** One line without its CRLF. */
  async line(): Promise<string> {
    for (let text = ''; text.length <= MAX_CHUNK_LINE; ) {
      const have = await this.some(Number.POSITIVE_INFINITY);
      const end = have.indexOf('\n');
      text += have.toString('latin1', 0, end < 0 ? have.length : end);
      if (end < 0) continue;
      this.#rest = have.subarray(end + 1);
      if (text.length <= MAX_CHUNK_LINE && text.endsWith('\r')) return text.slice(0, -1);
      break;
    }
    throw new InvalidParameter('malformed chunked body');
  }

  /** To the socket, for whoever reads from it next. */
  giveBack(): void {
    if (this.#rest.length > 0) this.#socket.unshift(this.#rest);
    this.#rest = Buffer.alloc(0);
  }
}

/** What the socket has, once it has something. */
async function take(socket: Duplex): Promise<Buffer> {
  for (;;) {
    const chunk: unknown = socket.read();
    if (chunk instanceof Buffer) return chunk;
    if (socket.readableEnded || socket.destroyed) throw new InvalidParameter('unexpected EOF in the request body');
    await new Promise<void>((resolve) => {
      const go = () => {
        for (const event of ['readable', 'end', 'close']) socket.off(event, go);
        resolve();
      };
      for (const event of ['readable', 'end', 'close']) socket.once(event, go);
    });
  }
}
