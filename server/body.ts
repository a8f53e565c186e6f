import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { InvalidParameter, TooLarge } from '../api/errors.ts';
import type { Decoder } from '../std/decode.ts';
import { hasErrno } from '../std/errno.ts';
import { parseJSON } from '../std/parse-json.ts';
import { messageOf } from '../std/thrown.ts';

/** No JSON body of the API comes near it. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;
const JSON_BODY_TIMEOUT_MS = 60_000;

/** Reads, parses and decodes a JSON body; see `ApiRequest.json`. */
export async function readJSON<T>(headers: IncomingHttpHeaders, body: Readable, decoder: Decoder<T>): Promise<T> {
  checkContentType(headers);
  const bytes = await collect(body, headers);
  if (bytes.length === 0 && !hasBody(headers)) return decoder({}, 'body');
  return decoder(parse(bytes), 'body');
}

/** A form as `curl -d signal=HUP` sends it; '' where the body is none. */
export async function readForm(headers: IncomingHttpHeaders, body: Readable): Promise<string> {
  if (mediaType(headers) !== 'application/x-www-form-urlencoded' || !hasBody(headers)) return '';
  return (await collect(body, headers)).toString('utf8');
}

export function hasBody(headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0);
}

function checkContentType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'] ?? '';
  if (type === '') {
    if (!hasBody(headers)) return;
    throw new InvalidParameter('malformed Content-Type header (): mime: no media type');
  }
  if (mediaType(headers) !== 'application/json' && hasBody(headers)) {
    throw new InvalidParameter(`unsupported Content-Type header (${type}): must be 'application/json'`);
  }
}

function mediaType(headers: IncomingHttpHeaders): string {
  return (headers['content-type']?.split(';')[0] ?? '').trim().toLowerCase();
}

async function collect(body: Readable, headers: IncomingHttpHeaders): Promise<Buffer> {
  if (Number(headers['content-length'] ?? 0) > MAX_JSON_BYTES) throw tooLarge();
  // One buffer that grows: a chunk may be a single byte, and a buffer for each would cost a hundred times that.
  let bytes = Buffer.alloc(64 * 1024);
  let size = 0;
  const late = setTimeout(
    () => body.destroy(new InvalidParameter('request body did not come in time')),
    JSON_BODY_TIMEOUT_MS,
  );
  try {
    // Destroying the body would cut the connection, and the answer with it.
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      if (size + chunk.length > MAX_JSON_BYTES) throw tooLarge();
      if (size + chunk.length > bytes.length) bytes = larger(bytes, size + chunk.length);
      size += chunk.copy(bytes, size);
    }
  } catch (error) {
    throw hasErrno(error, 'ECONNRESET') ? new InvalidParameter('unexpected EOF in the request body') : error;
  } finally {
    clearTimeout(late);
  }
  return bytes.subarray(0, size);
}

function larger(bytes: Buffer, least: number): Buffer<ArrayBuffer> {
  const more = Buffer.alloc(Math.max(least, bytes.length * 2));
  bytes.copy(more);
  return more;
}

function tooLarge(): TooLarge {
  return new TooLarge(`request body is too large: a JSON body may have at most ${MAX_JSON_BYTES} bytes`);
}

function parse(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  if (text.trim() === '') throw new InvalidParameter('invalid JSON: got EOF while reading request body');
  try {
    return parseJSON(text);
  } catch (error) {
    if (error instanceof SyntaxError && /after JSON/.test(error.message)) {
      throw new InvalidParameter('unexpected content after JSON');
    }
    throw new InvalidParameter(`invalid JSON: ${messageOf(error)}`);
  }
}
