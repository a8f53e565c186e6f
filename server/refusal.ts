import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { hangUp, takeFromParser } from './hijack.ts';
import { COMMON_HEADERS } from './reply.ts';

/**
 * Answers bytes that are no request, and hears no more of them. What is still on its way is taken in, so that the caller
 * comes to read the answer. `code`: why Node's parser gave up.
 */
export function refuse(socket: Socket, code: string): void {
  const { status, message } = wordFor(code);
  const body = `${JSON.stringify({ message })}\n`;
  const fields = {
    'Content-Type': 'application/json',
    Connection: 'close',
    ...COMMON_HEADERS,
    'Content-Length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  takeFromParser(socket);
  socket.on('error', () => socket.destroy());
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  hangUp(socket);
}

function wordFor(code: string): { status: number; message: string } {
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, message: 'request headers are too large' };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, message: 'request headers did not come in time' };
  return { status: 400, message: `malformed HTTP request${code === '' ? '' : ` (${code})`}` };
}
