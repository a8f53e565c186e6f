import type { ServerResponse } from 'node:http';
import { API_VERSION, PRODUCT_VERSION } from '../api/system.ts';
import { toJSON } from '../std/json.ts';
import type { LongAnswer, ShortAnswer } from './route.ts';

/** On every answer, whatever it is. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'Api-Version': API_VERSION,
  'Docker-Experimental': 'false',
  Ostype: 'linux',
  Server: `Docker/${PRODUCT_VERSION} (linux)`,
};

/** `rest`: what must be over before the connection may be closed behind the answer. */
export function replyShort(response: ServerResponse, answer: ShortAnswer, rest: Promise<void> | null): void {
  const body = bodyOf(answer);
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (body !== null)
    response.setHeader('Content-Type', answer.json === undefined ? 'text/plain; charset=utf-8' : 'application/json');
  if (answer.status !== 204 && answer.status !== 304) {
    response.setHeader('Content-Length', body === null ? 0 : Buffer.byteLength(body));
  }
  if (rest === null) {
    response.end(body ?? undefined);
    return;
  }
  if (body === null) response.flushHeaders();
  else response.write(body);
  void rest.then(() => response.end());
}

/** Headers now, the rest as it comes. */
export function replyLong(response: ServerResponse, answer: LongAnswer): void {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  response.setHeader('Content-Type', answer.contentType);
  const { trailers, out } = answer;
  if (trailers !== undefined) response.setHeader('Trailer', trailers.names.join(', '));
  response.flushHeaders();
  out.connect(response, () => trailers !== undefined && response.addTrailers(trailers.values()));
}

/** Encoders of Go end a value with a new line; clients that read lines count on it. */
function bodyOf(answer: ShortAnswer): string | null {
  if (answer.json !== undefined) return `${toJSON(answer.json)}\n`;
  return answer.text ?? null;
}
