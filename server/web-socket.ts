import type { IncomingMessage } from 'node:http';
import { type PassThrough, Writable } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Outflow } from './outflow.ts';

const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * Answers the handshake and joins the WebSocket with a job's streams: binary messages both ways, until either side ends.
 * A handshake that is none is answered 400.
 */
export function carryOver(handshake: IncomingMessage, out: Outflow, stdin: PassThrough): void {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  handshake.socket.once('close', () => out.abandon());
  server.handleUpgrade(handshake, handshake.socket, Buffer.alloc(0), (socket) => carry(socket, out, stdin));
}

function carry(socket: WebSocket, out: Outflow, stdin: PassThrough): void {
  const stream = createWebSocketStream(socket);
  stream.on('error', () => stream.destroy());
  stream.on('data', (chunk: Buffer) => {
    if (!stdin.write(chunk)) stream.pause();
  });
  stdin.on('drain', () => stream.resume());
  stream.once('end', () => stdin.end());
  stream.once('close', () => stdin.end());
  const sink = new Writable({
    write: (chunk, _encoding, done) => void stream.write(chunk, done),
    final: (done) => void stream.end(done),
    destroy: (error, done) => {
      stream.destroy();
      done(error);
    },
  });
  // A caller that leaves while something is on its way to it: the write fails, and that is all there is to it.
  sink.on('error', () => stream.destroy());
  out.connect(sink);
}
