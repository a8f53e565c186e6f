import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import { API_VERSION } from '../api/system.ts';
import { integer, object, optional, text } from '../std/decode.ts';
import type { Host } from './host.ts';

/** What a short answer may have. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const failure = object({ message: optional(text, ''), status: optional(integer, 1) });

/** No daemon answers there: in docker's words. */
export class NoConnection extends Error {}

/** The daemon's own refusal. */
export class DaemonError extends Error {
  readonly exitStatus: number;
  constructor(message: string, exitStatus: number) {
    super(`Error response from daemon: ${message}`);
    this.exitStatus = exitStatus;
  }
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Speaks to one daemon. */
export class Http {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** The answer of a GET, as JSON. Fails with NoConnection or DaemonError. */
  async json(path: string): Promise<unknown> {
    return JSON.parse(await collect(await this.stream({ method: 'GET', path })));
  }

  /** The answer with its body as it comes. */
  async stream(call: Call): Promise<IncomingMessage> {
    const response = await this.#answered(this.#send(call), call);
    if ((response.statusCode ?? 500) < 400) return response;
    throw await failureOf(response);
  }

  /** Leaves HTTP: after the body and the headers of the answer, raw bytes both ways. */
  upgrade(call: Call): Promise<Duplex> {
    const headers = { ...call.headers, Connection: 'Upgrade', Upgrade: 'tcp' };
    const sent = this.#send({ ...call, headers });
    return new Promise((resolve, reject) => {
      sent.once('upgrade', (_response: IncomingMessage, socket: Duplex, head: Buffer) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      this.#answered(sent, call).then(async (response) => reject(await failureOf(response)), reject);
    });
  }

  #send({ method, path, headers = {}, body = '' }: Call): ClientRequest {
    const length = method === 'POST' ? { 'Content-Length': Buffer.byteLength(body) } : {};
    const options: RequestOptions = {
      ...this.#host.options,
      method,
      path: `/v${API_VERSION}${path}`,
      headers: { 'User-Agent': 'gantry', ...length, ...headers },
      agent: false,
    };
    const sent = this.#host.isSecure ? httpsRequest(options) : httpRequest(options);
    sent.end(body);
    return sent;
  }

  #answered(sent: ClientRequest, { method, path }: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      sent.once('response', resolve);
      sent.on('error', (error) => reject(this.#wordFor(error, method, path)));
    });
  }

  #wordFor(error: NodeJS.ErrnoException, method: string, path: string): Error {
    const { name, isSecure } = this.#host;
    if (error.code === 'EACCES' || error.code === 'EPERM') {
      return new NoConnection(
        `permission denied while trying to connect to the Gantry daemon socket at ${name}: ${method} ${path}: ${error.message}`,
      );
    }
    if (isSecure && error.code !== 'ECONNREFUSED') {
      return new NoConnection(`error during connect: ${method} ${name}${path}: ${error.message}`);
    }
    return new NoConnection(
      `Cannot connect to the Gantry daemon at ${name}. Is the gantry daemon running? (${error.code ?? error.message})`,
    );
  }
}

async function failureOf(response: IncomingMessage): Promise<DaemonError> {
  const body = (await collect(response)).trim();
  try {
    const { message, status } = failure(JSON.parse(body), 'body');
    return new DaemonError(message || body, status);
  } catch {
    return new DaemonError(body || `status ${response.statusCode}`, 1);
  }
}

async function collect(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString();
}
