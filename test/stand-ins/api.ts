import { Agent, type IncomingMessage, request } from 'node:http';

/** The calls that the measurements make, on keep-alive connections, as a client library would. */
export class Api {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #socketPath: string;

  constructor(host: string) {
    this.#socketPath = host.replace(/^unix:\/\//, '');
  }

  async call(method: string, path: string, body?: object): Promise<unknown> {
    const text = (await this.bytes(method, path, body)).toString();
    return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
  }

  /** The body as it came. */
  async bytes(method: string, path: string, body?: object): Promise<Buffer> {
    const response = await this.#send(method, path, body);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const read = Buffer.concat(chunks);
    if ((response.statusCode ?? 500) >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${read}`);
    return read;
  }

  async create(image: string, command: readonly string[], network = 'none', extra: object = {}): Promise<string> {
    const body = { Image: image, Cmd: command, HostConfig: { NetworkMode: network, ...extra } };
    const made = (await this.call('POST', '/v1.41/containers/create', body)) as { Id: string };
    return made.Id;
  }

  start(id: string): Promise<unknown> {
    return this.call('POST', `/v1.41/containers/${id}/start`);
  }

  remove(id: string): Promise<unknown> {
    return this.call('DELETE', `/v1.41/containers/${id}?force=1`);
  }

  /** create, start, wait, remove. */
  async cycle(network = 'none'): Promise<void> {
    const id = await this.create('busybox', ['true'], network);
    await this.start(id);
    await this.call('POST', `/v1.41/containers/${id}/wait`);
    await this.call('DELETE', `/v1.41/containers/${id}`);
  }

  /** exec create, start, and all output read. */
  async exec(container: string, command: readonly string[]): Promise<void> {
    const made = (await this.call('POST', `/v1.41/containers/${container}/exec`, {
      AttachStdout: true,
      AttachStderr: true,
      Cmd: command,
    })) as { Id: string };
    await this.call('POST', `/v1.41/exec/${made.Id}/start`, { Detach: false, Tty: false });
  }

  /** The answer is 200 whatever becomes of it: a failure is a line of it. */
  async load(archive: Buffer): Promise<void> {
    const said = await this.bytes('POST', '/v1.41/images/load?quiet=1', archive);
    if (said.includes('"errorDetail"')) throw new Error(`load: 500 ${said}`);
  }

  /** Reads no more of the answer than its first `bytes`, and hangs up. */
  async first(method: string, path: string, bytes: number): Promise<Buffer> {
    const response = await this.#send(method, path, undefined);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= bytes) break;
    }
    const read = Buffer.concat(chunks);
    if ((response.statusCode ?? 500) >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${read}`);
    return read;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body: object | undefined): Promise<IncomingMessage> {
    const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json';
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          method,
          path,
          socketPath: this.#socketPath,
          agent: this.#agent,
          headers: body === undefined ? {} : { 'Content-Type': type },
        },
        resolve,
      );
      sent.on('error', reject);
      sent.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    });
  }
}
