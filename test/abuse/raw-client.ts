import { connect, type Socket } from 'node:net';

/** A client that says exactly what it is told to, byte by byte. */
export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #waiting: (() => void)[] = [];
  isClosed = false;

  constructor(host: string) {
    this.socket = connect({ path: host.slice('unix://'.length), allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    for (const event of ['end', 'close', 'error'] as const) {
      this.socket.on(event, () => {
        this.isClosed = true;
        this.#wake();
      });
    }
  }

  say(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  get heard(): string {
    return this.#received.toString('latin1');
  }

  /** Waits until what was heard matches, or the other side is done. */
  async hears(pattern: RegExp, timeoutMs = 10_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    while (!pattern.test(this.heard) && !this.isClosed) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`heard ${JSON.stringify(this.heard.slice(0, 500))}, not ${pattern}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.heard;
  }

  /** The whole answer to one request on a connection of its own. */
  static async ask(
    host: string,
    bytes: string | Buffer,
    timeoutMs?: number,
  ): Promise<{ status: number; body: string }> {
    const client = new RawClient(host);
    client.say(bytes);
    const heard = await client.hears(/^HTTP\/1\.1 \d{3}[\s\S]*\r\n\r\n([\s\S]*\n)?$/, timeoutMs);
    client.socket.destroy();
    return { status: Number(heard.slice(9, 12)), body: heard.slice(heard.indexOf('\r\n\r\n') + 4) };
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** An HTTP/1.1 request as bytes, the connection closed behind the answer. */
export function http(method: string, path: string, body = '', headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    Host: 'd',
    Connection: 'close',
    ...(body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
