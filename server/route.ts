/**
 * HTTP in, job out. A route is a row of a table: where it answers, and a handler that decodes the request, runs one job
 * and words the answer. It decides nothing else.
 *
 *   {
 *     method: 'POST',
 *     path: '/containers/:id/start',
 *     handle: async ({ params, signal }) => {
 *       const outcome = await engine.run('start', [params.get('id')], {}, { signal });
 *       return { status: outcome === 'started' ? 204 : 304 };
 *     },
 *   }
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { PassThrough, Readable } from 'node:stream';
import type { Decoder } from '../std/decode.ts';
import type { Outflow } from './outflow.ts';
import type { Query } from './query.ts';
import type { ApiVersion } from './version.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';

export interface Route {
  readonly method: Method;
  /**
   * Without the version. `:id` is one segment; `:name+`, at most once in a path, is one or more of them, since image
   * names have slashes: `/images/:name+/json`.
   */
  readonly path: string;
  /** API versions that have it; all when left out. */
  readonly since?: ApiVersion;
  readonly until?: ApiVersion;
  /** Its parameters may come as a form in the body as well, before those of the query. */
  readonly takesForm?: true;
  readonly handle: (request: ApiRequest) => Promise<Answer>;
}

export interface ApiRequest {
  /** Tells apart two requests in the log; also the header X-Request-Id of the answer. */
  readonly id: string;
  readonly method: string;
  /** As the route sees it: without version and query. */
  readonly path: string;
  /** What the placeholders of the route's path stand for, percent-decoded. */
  readonly params: Params;
  readonly query: Query;
  /** What the caller speaks: of the path, or the newest. */
  readonly version: ApiVersion;
  readonly headers: IncomingHttpHeaders;
  /** Raised when the caller has gone away. */
  readonly signal: AbortSignal;
  /** The caller asks to go on with raw bytes (`Connection: Upgrade`, `Upgrade: tcp`). */
  readonly isUpgrade: boolean;
  /** The raw body: archives, mostly. To be read once, and not together with `json`. */
  readonly body: Readable;
  /**
   * The body as JSON, at most 4 MiB of it. Fails with InvalidParameter when it is malformed, does not fit the decoder,
   * has something behind it, or is not said to be application/json. An empty body is decoded as `{}`.
   */
  json<T>(decoder: Decoder<T>): Promise<T>;
}

/** Placeholders by name. What the path has is there; asking for another name gives ''. */
export interface Params {
  get(name: string): string;
}

export type Answer = ShortAnswer | LongAnswer | HijackAnswer | WebSocketAnswer;

export interface ShortAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a bigint as bare digits. */
  readonly json?: unknown;
  /** Sent as it is, as text/plain. */
  readonly text?: string;
}

/** Headers go out at once, then what is written into `out`, chunked, until it ends. */
export interface LongAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly out: Outflow;
  /** Headers that are known only at the end, sent behind the body. */
  readonly trailers?: { readonly names: readonly string[]; readonly values: () => Readonly<Record<string, string>> };
}

/**
 * The connection leaves HTTP: `out` goes to the caller raw, what the caller sends comes out of `stdin` (created by the
 * route, given to its job), which ends when the caller closes its side of the connection.
 */
export interface HijackAnswer {
  readonly hijack: { readonly contentType: string; readonly out: Outflow; readonly stdin: PassThrough };
  readonly headers?: Readonly<Record<string, string>>;
}

/** The connection becomes a WebSocket: whoever is called answers the handshake on the request's socket. */
export interface WebSocketAnswer {
  readonly webSocket: (request: IncomingMessage) => void;
}
