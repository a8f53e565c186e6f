import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { InvalidParameter, TooLarge } from '../api/errors.ts';
import type { Decoder } from '../std/decode.ts';

/** No JSON body of the API comes near it. */
export const MAX_JSON_BYTES = 4 * 1024 * 1024;
const JSON_BODY_TIMEOUT_MS = 60_000;
/** encoding/json's own bound is 10,000; nothing of the API is deeper than a dozen. */
const MAX_DEPTH = 256;

/** Reads, parses and decodes a JSON body; see `ApiRequest.json`. */
export async function readJSON<T>(headers: IncomingHttpHeaders, body: Readable, decoder: Decoder<T>): Promise<T> {
  checkContentType(headers);
  const bytes = await collect(body, headers);
  if (bytes.length === 0 && !hasBody(headers)) return decoder({}, 'body');
  return decoder(parse(bytes), 'body');
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
  const media = (type.split(';')[0] ?? '').trim().toLowerCase();
  if (media !== 'application/json' && hasBody(headers)) {
    throw new InvalidParameter(`unsupported Content-Type header (${type}): must be 'application/json'`);
  }
}

async function collect(body: Readable, headers: IncomingHttpHeaders): Promise<Buffer> {
  if (Number(headers['content-length'] ?? 0) > MAX_JSON_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(
    () => body.destroy(new InvalidParameter('request body did not come in time')),
    JSON_BODY_TIMEOUT_MS,
  );
  try {
    // Destroying the body would cut the connection, and the answer with it.
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_JSON_BYTES) throw tooLarge();
    }
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks, size);
}

function tooLarge(): TooLarge {
  return new TooLarge(`request body is too large: a JSON body may have at most ${MAX_JSON_BYTES} bytes`);
}

function parse(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  if (text.trim() === '') throw new InvalidParameter('invalid JSON: got EOF while reading request body');
  if (depthOf(text) > MAX_DEPTH) throw new InvalidParameter(`invalid JSON: more than ${MAX_DEPTH} levels deep`);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError && /after JSON/.test(error.message)) {
      throw new InvalidParameter('unexpected content after JSON');
    }
    throw new InvalidParameter(`invalid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Brackets open at once, at most; those inside strings do not count. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    else if (char === ']' || char === '}') depth--;
  }
  return deepest;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
