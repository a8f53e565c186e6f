import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { NoSuchContainer } from '../../api/errors.ts';
import { Outflow } from '../../server/outflow.ts';
import type { ApiRequest, Route } from '../../server/route.ts';
import { anything } from '../../std/decode.ts';
import { collect, type Listening, listening, until } from './listening.ts';

/** Sends back what comes in, and says so at the end of it. */
const echo: Route = {
  method: 'POST',
  path: '/echo',
  handle: async (request) => {
    const out = new Outflow();
    const stdin = new PassThrough();
    stdin.on('data', (chunk: Buffer) => out.write(Buffer.from(`<${chunk.toString()}>`)));
    stdin.on('end', () => {
      out.write(Buffer.from('EOF'));
      out.end();
    });
    seen.push(request);
    return { hijack: { contentType: 'application/vnd.docker.multiplexed-stream', out, stdin } };
  },
};
const reading: Route = {
  ...echo,
  path: '/reading',
  handle: async (request) => {
    await request.json(anything);
    return echo.handle(request);
  },
};
const refusing: Route = {
  method: 'POST',
  path: '/refusing',
  handle: async () => {
    throw new NoSuchContainer('web');
  },
};
/** Never says anything, never ends. */
const silent: Route = {
  method: 'POST',
  path: '/silent',
  handle: async (request) => {
    seen.push(request);
    const stdin = new PassThrough();
    stdin.resume();
    return { hijack: { contentType: 'x', out: new Outflow(), stdin } };
  },
};
let seen: ApiRequest[] = [];

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';

describe('a hijacked connection', () => {
  let server: Listening;

  beforeEach(async () => {
    seen = [];
    server = await listening([echo, reading, refusing, silent]);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  it('answers 101 with the content type when an upgrade is asked for', async () => {
    const answer = await server.exchange(`POST /echo HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
    expect(answer).to.match(/^HTTP\/1\.1 101 UPGRADED\r\n/);
    expect(answer).to.include('Content-Type: application/vnd.docker.multiplexed-stream\r\n');
    expect(answer).to.include('Connection: Upgrade\r\nUpgrade: tcp\r\n');
    expect(answer).to.match(/\r\n\r\nEOF$/);
  });

  it('answers 200 raw, without length or chunks, when none is asked for', async () => {
    const answer = await server.exchange('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    expect(answer).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).to.include('Content-Type: application/vnd.docker.raw-stream\r\n');
    expect(answer).to.not.match(/Content-Length|Transfer-Encoding/i);
    expect(answer).to.match(/\r\n\r\nEOF$/);
  });

  it('delivers bytes sent together with the request once, in order', async () => {
    const answer = await server.exchange(`POST /echo HTTP/1.1\r\nHost: x\r\n${upgrade}\r\nearly`);
    expect(answer).to.match(/\r\n\r\n<early>EOF$/);
  });

  it('tells a body apart from what follows it', async () => {
    const body = '{"Detach":false}';
    const head = `POST /reading HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Type: application/json\r\n`;
    const answer = await server.exchange(`${head}Content-Length: ${body.length}\r\n\r\n${body}stdin`);
    expect(answer).to.match(/\r\n\r\n<stdin>EOF$/);
  });

  it('skips a body that nobody reads', async () => {
    const answer = await server.exchange(
      `POST /echo HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Length: 2\r\n\r\n{}stdin`,
    );
    expect(answer).to.match(/\r\n\r\n<stdin>EOF$/);
  });

  it('reads a chunked body in front of an upgrade', async () => {
    const head = `POST /reading HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Type: application/json\r\n`;
    const answer = await server.exchange(`${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nstdin`);
    expect(answer).to.match(/\r\n\r\n<stdin>EOF$/);
  });

  it('does not take the end of an empty chunked body for stdin', async () => {
    const answer = await server.exchange(
      `POST /echo HTTP/1.1\r\nHost: x\r\n${upgrade}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    );
    expect(answer).to.match(/\r\n\r\nEOF$/);
  });

  it('takes the chunks of a plain request for stdin', async () => {
    const socket = await server.connect();
    socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await until(socket, '\r\n\r\n');
    socket.end('5\r\nhello\r\n0\r\n\r\n');
    expect(await collect(socket)).to.equal('<hello>EOF');
  });

  it('goes on in both directions after a plain 200', async () => {
    const socket = await server.connect();
    socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await until(socket, '\r\n\r\n');
    socket.write('one');
    expect(await until(socket, '>')).to.equal('<one>');
    socket.end('GET / HTTP/1.1\r\n\r\n');
    expect(await collect(socket)).to.equal('<GET / HTTP/1.1\r\n\r\n>EOF');
  });

  it('keeps sending after the caller has closed its side', async () => {
    const socket = await server.connect();
    socket.end(`POST /silent HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
    await until(socket, '\r\n\r\n');
    expect(seen[0]?.signal.aborted).to.equal(false);
    socket.destroy();
  });

  it('raises the signal when the caller is gone', async () => {
    const socket = await server.connect();
    socket.write('POST /silent HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await until(socket, '\r\n\r\n');
    const { signal } = seen[0] ?? expect.fail('no request');
    const gone = once(signal, 'abort');
    socket.destroy();
    await gone;
  });

  it('answers an error before it as plain HTTP', async () => {
    const answer = await server.exchange(`POST /refusing HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
    expect(answer).to.match(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(answer).to.include('Content-Type: application/json\r\n');
    expect(answer).to.match(/\{"message":"No such container: web"\}\n$/);
  });
});
