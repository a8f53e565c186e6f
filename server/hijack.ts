/**
 * The connection leaves HTTP: after the headers bytes go both ways, raw (Docker Engine API, ContainerAttach, "Hijacking").
 *
 *   with `Upgrade: tcp`   101 UPGRADED
 *   without               200 OK, and no length: the answer ends with the connection
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { RAW_STREAM } from '../api/streams.ts';
import type { HijackAnswer } from './route.ts';
import { dropEmptyChunk } from './upgrade-body.ts';

/** A caller that was told the end has this long to close its side. */
const LINGER_MS = 30_000;

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What comes behind the headers. */
  readonly body: Readable;
  /** Node has already let go of the socket (event `upgrade`). */
  readonly isUpgrade: boolean;
}

/** Sends the headers and joins the socket with the answer's streams. The body of the request has been read. */
export function hijack(exchange: Exchange, answer: HijackAnswer, headers: Readonly<Record<string, string>>): void {
  const { request, response, isUpgrade } = exchange;
  const { contentType, out, stdin } = answer.hijack;
  const socket = request.socket;
  response.detachSocket(socket);
  const input = isUpgrade || request.headers['transfer-encoding'] === undefined ? socket : request;
  if (isUpgrade && !exchange.body.readableEnded) dropEmptyChunk(request.headers, socket);
  else if (!isUpgrade && input === socket) takeFromParser(socket);

  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  socket.on('error', () => socket.destroy());
  socket.write(head(isUpgrade, contentType, headers));
  input.on('end', () => stdin.end());
  socket.once('close', () => stdin.end());
  input.pipe(stdin, { end: false });
  stdin.once('close', () => input.resume());
  out.connect(socket);
  socket.once('finish', () => {
    stdin.destroy();
    linger(socket);
  });
}

function head(isUpgrade: boolean, contentType: string, headers: Readonly<Record<string, string>>): string {
  const type = isUpgrade ? contentType : RAW_STREAM;
  const lines = isUpgrade
    ? ['HTTP/1.1 101 UPGRADED', `Content-Type: ${type}`, 'Connection: Upgrade', 'Upgrade: tcp']
    : ['HTTP/1.1 200 OK', `Content-Type: ${type}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Node has no call for it: adding a `data` listener makes its parser let go of the handle, and without its own listeners
 * it hears no more. The socket must not be paused on the way: it believes a read to be under way, and would never start
 * another.
 */
export function takeFromParser(socket: Socket): void {
  socket.on('data', () => {});
  for (const event of ['data', 'end', 'error', 'timeout', 'drain']) socket.removeAllListeners(event);
}

/** Ends our side, and in a while the other. */
export function hangUp(socket: Socket): void {
  socket.end(() => linger(socket));
}

/** All was said. What still comes is dropped, so that closing does not tear away what the caller has yet to read. */
function linger(socket: Socket): void {
  socket.resume();
  const late = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  if (socket.readableEnded) socket.destroy();
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(late));
}
