/**
 * The body of a request that asks for an upgrade. Node hands over such a connection right behind the headers; the body,
 * where there is one, and what the caller sent behind it come as bytes of the socket.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import { InvalidParameter } from '../api/errors.ts';

const MAX_CHUNK_LINE = 256;

/** Reads the body and not one byte more: what follows stays in the socket. */
export function upgradeBody(headers: IncomingHttpHeaders, socket: Duplex): Readable {
  if (headers['transfer-encoding'] !== undefined) return Readable.from(chunked(socket), { objectMode: false });
  const length = Number(headers['content-length'] ?? 0);
  return length === 0 ? Readable.from([]) : Readable.from(counted(socket, length), { objectMode: false });
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

async function* counted(socket: Duplex, length: number): AsyncGenerator<Buffer> {
  let left = length;
  while (left > 0) {
    const chunk = await take(socket);
    const mine = chunk.subarray(0, left);
    if (chunk.length > mine.length) socket.unshift(chunk.subarray(mine.length));
    left -= mine.length;
    yield mine;
  }
}

async function* chunked(socket: Duplex): AsyncGenerator<Buffer> {
  for (;;) {
    const size = chunkSize(await line(socket));
    if (size === 0) break;
    yield* counted(socket, size);
    if ((await line(socket)) !== '') throw new InvalidParameter('malformed chunked body');
  }
  while ((await line(socket)) !== '');
}

function chunkSize(text: string): number {
  const digits = /^([0-9a-fA-F]{1,8})$/.exec(text)?.[1];
  if (digits === undefined) throw new InvalidParameter('malformed chunked body');
  return Number.parseInt(digits, 16);
}

/** One line without its CRLF. */
async function line(socket: Duplex): Promise<string> {
  let have = Buffer.alloc(0);
  for (;;) {
    have = Buffer.concat([have, await take(socket)]);
    const end = have.indexOf('\r\n');
    if (end >= 0) {
      if (have.length > end + 2) socket.unshift(have.subarray(end + 2));
      return have.subarray(0, end).toString('latin1');
    }
    if (have.length > MAX_CHUNK_LINE) throw new InvalidParameter('malformed chunked body');
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
