/**
 * One request, from its headers to its answer: held until the daemon accepts connections, matched to a row, decoded,
 * handled, answered. Node's strict parser reads it; a request that asks for an upgrade comes by another door (`upgrade`)
 * and goes the same way.
 */
import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type Duplex, PassThrough, type Readable } from 'node:stream';
import createDebug from 'debug';
import { readForm, readJSON } from './body.ts';
import { CallerLeft, Departure } from './departure.ts';
import { answerOf } from './failure.ts';
import { checkOrigin } from './guard.ts';
import { type Exchange, hangUp, hijack } from './hijack.ts';
import { refuse } from './refusal.ts';
import { COMMON_HEADERS, replyLong, replyShort } from './reply.ts';
import type { Answer, ApiRequest, Route } from './route.ts';
import { type Match, Router } from './router.ts';
import { upgradeBody } from './upgrade-body.ts';

const debug = createDebug('gantry:server:request');

/** Of a body that is not wanted any more. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;
const DISCARD_MS = 10_000;

/** How a caller reaches us. `hosts`: names this daemon answers to on TCP; null where anything goes. */
export interface Transport {
  readonly kind: 'unix' | 'tcp' | 'tls';
  readonly hosts: readonly string[] | null;
}

export class ApiServer {
  readonly #router: Router;
  readonly #open: Promise<void>;
  /** Connections that are being answered. */
  readonly #busy = new WeakMap<Duplex, ServerResponse>();
  #requests = 0;
  #accept: () => void = () => {};

  constructor(routes: readonly Route[]) {
    this.#router = new Router(routes);
    this.#open = new Promise((resolve) => {
      this.#accept = resolve;
    });
  }

  /** Lets requests in; those that came before have waited. */
  accept(): void {
    this.#accept();
  }

  onRequest(transport: Transport): RequestListener {
    return (request, response) => void this.#serve({ request, response, body: request, isUpgrade: false }, transport);
  }

  onUpgrade(transport: Transport): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
    return (request, socket, head) => {
      if (!(socket instanceof Socket)) return void socket.destroy();
      socket.on('error', () => socket.destroy());
      if (head.length > 0) socket.unshift(head);
      const response = new ServerResponse(request);
      response.assignSocket(socket);
      response.shouldKeepAlive = false;
      response.once('finish', () => hangUp(socket));
      const body = upgradeBody(request.headers, socket);
      void this.#serve({ request, response, body, isUpgrade: true }, transport);
    };
  }

  /** Bytes that are no request, too many of them, or too slow. Nobody may take them for part of an answer. */
  onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const answering = this.#busy.get(socket);
    const isBegun = answering !== undefined && (answering.headersSent || answering.socket === null);
    if (isBegun || !socket.writable) return void socket.destroy();
    if (socket instanceof Socket) refuse(socket, error.code ?? '');
    else socket.destroy();
  }

  async #serve(exchange: Exchange, transport: Transport): Promise<void> {
    const { request, response } = exchange;
    const id = String(++this.#requests);
    const departure = new Departure(request.socket, transport.kind === 'unix');
    this.#busy.set(request.socket, response);
    response.once('close', () => {
      departure.done();
      this.#busy.delete(request.socket);
    });
    for (const [name, value] of Object.entries({ ...COMMON_HEADERS, 'X-Request-Id': id }))
      response.setHeader(name, value);
    const about = `#${id} ${request.method} ${request.url}`;
    debug('%s', about);
    try {
      await this.#open;
      if (transport.hosts !== null) checkOrigin(request, transport.hosts);
      const match = await this.#matched(exchange);
      const answer = await match.route.handle(requestFor(exchange, match, id, departure.signal));
      await this.#reply(exchange, answer, departure);
    } catch (error) {
      this.#fail(exchange, error, about);
    }
  }

  async #matched({ request, body }: Exchange): Promise<Match> {
    const match = this.#router.match(request.method ?? '', request.url ?? '');
    if (match.route.takesForm !== true) return match;
    return { ...match, query: match.query.behind(await readForm(request.headers, body)) };
  }

  async #reply(exchange: Exchange, answer: Answer, departure: Departure): Promise<void> {
    const { request, response } = exchange;
    if (departure.signal.aborted) return abandon(exchange, answer);
    if ('webSocket' in answer) {
      response.detachSocket(request.socket);
      answer.webSocket(request);
    } else if ('hijack' in answer) {
      await skipBody(exchange);
      hijack(exchange, answer, { ...COMMON_HEADERS, ...answer.headers });
      departure.expectRaw();
    } else if ('out' in answer) {
      departure.expectLong();
      replyLong(response, answer);
      if (exchange.isUpgrade) request.socket.resume();
    } else {
      replyShort(response, answer, discarded(request));
    }
  }

  #fail({ request, response }: Exchange, error: unknown, about: string): void {
    if (response.headersSent || response.socket === null) {
      debug('%s: failed after its headers: %O', about, error);
      request.socket.destroy();
      return;
    }
    replyShort(response, answerOf(error, about), discarded(request));
  }
}

function requestFor(exchange: Exchange, match: Match, id: string, signal: AbortSignal): ApiRequest {
  const { request, body, isUpgrade } = exchange;
  const { headers } = request;
  let copy: Readable | null = null;
  return {
    id,
    method: request.method ?? '',
    path: match.path,
    params: match.params,
    query: match.query,
    version: match.version,
    headers,
    signal,
    isUpgrade: isUpgrade && (headers.upgrade ?? '').toLowerCase() === 'tcp',
    get body() {
      copy ??= isUpgrade ? body : copyOf(request);
      return copy;
    },
    json: (decoder) => readJSON(headers, body, decoder),
  };
}

/** What a job may destroy as it likes: destroying the request itself would cut the connection, and the answer with it. */
function copyOf(request: IncomingMessage): Readable {
  const copy = new PassThrough();
  request.once('error', (error) => copy.destroy(error));
  request.once('close', () => request.readableEnded || copy.destroy(new CallerLeft()));
  copy.once('close', () => request.resume());
  return request.pipe(copy);
}

/**
 * Takes in the rest of a body that nobody wants, so that the caller comes to read the answer; null when there is none.
 * There is an end to patience.
 */
function discarded(request: IncomingMessage): Promise<void> | null {
  if (request.complete) return null;
  return new Promise((resolve) => {
    let left = MAX_DISCARDED_BYTES;
    const late = setTimeout(resolve, DISCARD_MS).unref();
    request.once('end', resolve);
    request.once('close', () => {
      clearTimeout(late);
      resolve();
    });
    request.unpipe();
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) resolve();
    });
    request.resume();
  });
}

/** The caller left while its answer was made. */
function abandon({ request }: Exchange, answer: Answer): void {
  if ('out' in answer) answer.out.abandon();
  if ('hijack' in answer) answer.hijack.out.abandon();
  request.socket.destroy();
}

/** A body that the route did not want must be gone before raw bytes follow it; one that is chunked is stdin itself. */
async function skipBody({ request, body }: Exchange): Promise<void> {
  if (Number(request.headers['content-length'] ?? 0) === 0 || body.readableEnded) return;
  for await (const _ of body);
}
