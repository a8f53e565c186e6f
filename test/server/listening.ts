import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { listenUnix } from '../../drivers/libcontainer/kernel/sockets.ts';
import { ApiServer } from '../../server/api-server.ts';
import { listen } from '../../server/listen.ts';
import type { Route } from '../../server/route.ts';

/** The real server with routes of the test's own, on a socket of its own. */
export interface Listening extends AsyncDisposable {
  readonly path: string;
  readonly api: ApiServer;
  connect(): Promise<Socket>;
  /** Sends the bytes, closes its side, and gives all that came back. */
  exchange(request: string | Buffer): Promise<string>;
}

export async function listening(routes: readonly Route[], isAccepting = true): Promise<Listening> {
  const folder = await mkdtemp('/tmp/g-');
  const path = join(folder, 'sock');
  const api = new ApiServer(routes);
  const listeners = await listen(api, [`unix://${path}`], { tls: null, group: '0', bindUnix: listenUnix });
  if (isAccepting) api.accept();
  const dial = () => dialed(path);
  return {
    path,
    api,
    connect: dial,
    exchange: async (request) => {
      const socket = await dial();
      const answer = collect(socket);
      socket.end(request);
      return answer;
    },
    [Symbol.asyncDispose]: async () => {
      for (const listener of listeners) listener.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function dialed(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** All that comes until the other side ends. */
export async function collect(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** Reads until `text` has come. */
export function until(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let have = '';
    const onData = (chunk: Buffer) => {
      have += chunk.toString('latin1');
      if (!have.includes(text)) return;
      socket.off('data', onData);
      socket.pause();
      resolve(have);
    };
    socket.on('data', onData).resume();
    socket.once('close', () => reject(new Error(`closed before ${JSON.stringify(text)}: ${JSON.stringify(have)}`)));
  });
}
