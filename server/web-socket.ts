import { type PassThrough, Writable } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';
import type { Outflow } from './outflow.ts';

/** Joins a WebSocket with a job's streams: binary messages both ways, until either side ends. */
export function carry(socket: WebSocket, out: Outflow, stdin: PassThrough): void {
  const stream = createWebSocketStream(socket);
  stream.on('error', () => stream.destroy());
  stream.on('data', (chunk: Buffer) => {
    if (!stdin.write(chunk)) stream.pause();
  });
  stdin.on('drain', () => stream.resume());
  stream.once('end', () => stdin.end());
  stream.once('close', () => stdin.end());
  out.connect(
    new Writable({
      write: (chunk, _encoding, done) => void stream.write(chunk, done),
      final: (done) => void stream.end(done),
      destroy: (error, done) => {
        stream.destroy();
        done(error);
      },
    }),
  );
}
