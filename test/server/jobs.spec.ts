import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { Conflict } from '../../api/errors.ts';
import type { JobTable } from '../../api/jobs.ts';
import { FrameReader, JOB_END, STDERR, STDOUT } from '../../api/streams.ts';
import type { Engine } from '../../engine/engine.ts';
import { apiRoutes } from '../../server/routes.ts';
import { flag, object } from '../../std/decode.ts';
import { serving, type TrialServer, trialEngine } from '../stand-ins/trials.ts';

const MULTIPLEXED = 'application/vnd.docker.multiplexed-stream';

describe('/jobs', () => {
  let engine: Engine<JobTable>;
  let server: TrialServer;
  let tracing: Disposable;
  beforeEach(async () => {
    engine = trialEngine();
    tracing = engine.trace.start();
    server = await serving(engine);
  });
  afterEach(async () => {
    tracing[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  async function call(method: string, path: string, body = '', headers: RequestOptions['headers'] = {}) {
    const sent = request({ socketPath: server.path, method, path, headers, agent: false });
    sent.end(body);
    const [response] = await once(sent, 'response');
    const bytes = await bytesOf(response);
    return { status: response.statusCode, bytes, trailers: response.trailers, json: jsonOf(bytes) };
  }

  it('lists the contracts of all jobs', async () => {
    const { status, json } = await call('GET', '/jobs');
    expect(status).to.equal(200);
    expect(json).to.deep.equal(engine.contracts());
  });

  describe('POST', () => {
    it('takes env from the query and stdin from the body, and answers in one piece of JSON', async () => {
      const path = `/jobs/load?env=${encodeURIComponent('{"quiet":true}')}`;
      const { status, json } = await call('POST', path, 'hello');
      expect(status).to.equal(200);
      const ended = { status: 0, result: { images: ['5'] } };
      expect(json).to.deep.equal({ ...ended, stdout: 'hello', stderr: '', isTruncated: false });
    });

    it('takes both from a JSON body', async () => {
      const { json } = await call('POST', '/jobs/load', '{"args":[],"env":{"quiet":false}}', {
        'Content-Type': 'application/json',
      });
      expect(json).to.include({ stdout: '', stderr: 'done\n' });
    });

    it('knows aliases, and the versioned path', async () => {
      expect((await call('POST', '/v1.44/jobs/cat', 'x')).json).to.include({ stdout: 'x' });
    });

    it('answers a failure with its status, and what was written before it', async () => {
      const { status, json } = await call('POST', '/jobs/info');
      expect(status).to.equal(500);
      expect(json).to.include({ message: 'oh no', status: 1, result: null, stdout: 'so far so good\n' });
    });

    it('says 404 and 127 for a job that is not there, 400 for what does not fit', async () => {
      const missing = await call('POST', '/jobs/dance');
      expect([missing.status, missing.json]).to.deep.equal([404, { message: 'dance: command not found', status: 127 }]);
      const excess = await call('POST', '/jobs/load?a=b');
      expect([excess.status, excess.json]).to.deep.equal([
        400,
        { message: 'load: got 1 argument, usage: load', status: 1 },
      ]);
      expect((await call('POST', '/jobs/load?env=%7B')).status).to.equal(400);
      expect((await call('POST', `/jobs/load?env=${encodeURIComponent('{"quit":1}')}`)).status).to.equal(400);
    });

    it('keeps the last MiB of a long output', async () => {
      const { json } = await call('POST', '/jobs/load', 'x'.repeat(3 * 1024 * 1024));
      expect(json)
        .to.have.property('stdout')
        .with.length(1024 * 1024);
      expect(json).to.include({ isTruncated: true });
    });

    it('streams frames, of which the last says how it ended, as does the trailer', async () => {
      const { bytes, trailers } = await call('POST', '/jobs/load', 'hello', { Accept: MULTIPLEXED });
      expect(framesOf(bytes)).to.deep.equal([
        [STDOUT, 'hello'],
        [STDERR, 'done\n'],
        [JOB_END, '{"status":0,"result":{"images":["5"]},"error":null}'],
      ]);
      expect(trailers).to.deep.equal({ 'x-job-status': '0' });
    });

    it('tells a failure in the last frame', async () => {
      const { status, bytes, trailers } = await call('POST', '/jobs/info', '', { Accept: MULTIPLEXED });
      expect(status).to.equal(200);
      const [, last] = framesOf(bytes).at(-1) ?? [];
      expect(last).to.equal('{"status":1,"result":null,"error":{"message":"oh no","httpStatus":500}}');
      expect(trailers).to.deep.equal({ 'x-job-status': '1' });
    });

    it('tells of a result that is no JSON in the last frame', async () => {
      const circle: Record<string, unknown> & { ApiVersion: string } = { ApiVersion: '1.50' };
      circle['itself'] = circle;
      engine.register('version', { summary: 'Circles', usage: '', env: object({}), handler: async () => circle });
      const { bytes, trailers } = await call('POST', '/jobs/version', '', { Accept: MULTIPLEXED });
      const [, last] = framesOf(bytes).at(-1) ?? [];
      expect(last).to.match(
        /^\{"status":1,"result":null,"error":\{"message":"Converting circular .*"httpStatus":500\}\}$/,
      );
      expect(trailers).to.deep.equal({ 'x-job-status': '1' });
    });

    it('answers while the body is still being sent', async () => {
      const headers = { Accept: MULTIPLEXED };
      const sent = request({ socketPath: server.path, method: 'POST', path: '/jobs/load', headers, agent: false });
      sent.write('ping');
      const [response] = await once(sent, 'response');
      const [first] = await once(response, 'data');
      expect(framesOf(first)).to.deep.equal([[STDOUT, 'ping']]);
      sent.end('pong');
      expect(framesOf(await bytesOf(response))[0]).to.deep.equal([STDOUT, 'pong']);
    });

    it('after an upgrade carries stdin raw, to its end, which is not the end of the answer', async () => {
      const socket = connect({ path: server.path, allowHalfOpen: true });
      const body = '{"env":{"quiet":true}}';
      const lines = ['POST /jobs/load HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: tcp'];
      lines.push('Content-Type: application/json', `Content-Length: ${body.length}`, '', body);
      socket.write(lines.join('\r\n'));
      const [head] = await once(socket, 'data');
      expect(String(head)).to.match(/^HTTP\/1\.1 101 /);
      socket.end('raw bytes');
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk);
      expect(framesOf(Buffer.concat(chunks))).to.deep.equal([
        [STDOUT, 'raw bytes'],
        [JOB_END, '{"status":0,"result":{"images":["9"]},"error":null}'],
      ]);
    });

    it('cancels the job when its caller goes away', async () => {
      const ended = new Promise<void>((resolve) => {
        engine.wrap('events', (next) => async (job) => {
          try {
            return await next(job);
          } finally {
            resolve();
          }
        });
      });
      const headers = { Accept: MULTIPLEXED };
      const sent = request({ socketPath: server.path, method: 'POST', path: '/jobs/events', headers, agent: false });
      sent.on('error', () => {});
      sent.end();
      const [response] = await once(sent, 'response');
      response.on('error', () => {});
      await once(response, 'readable');
      sent.destroy();
      await ended;
    });
  });

  describe('the trace', () => {
    it('has the finished requests, and all that happened in one', async () => {
      await call('POST', '/jobs/load', 'x');
      const { json: list } = await call('GET', '/jobs/trace');
      expect(list).to.have.length(1);
      expect(list).to.have.nested.property('[0].name', 'load');
      expect(list).to.have.nested.property('[0].status', 0);
      const { json } = await call('GET', '/jobs/trace/1');
      expect(json).to.have.nested.include({ id: 1, 'events[0].kind': 'job', 'events[1].kind': 'job-end' });
    });

    it('says 404 for what it does not know', async () => {
      expect((await call('GET', '/jobs/trace/99')).status).to.equal(404);
      expect((await call('GET', '/jobs/trace/none')).status).to.equal(404);
    });

    it('is told as it happens, of the jobs that were asked for', async () => {
      const sent = request({ socketPath: server.path, path: '/jobs/events?job=load', agent: false });
      sent.end();
      const [response] = await once(sent, 'response');
      expect(response.headers['content-type']).to.equal('text/event-stream');
      response.setEncoding('utf8');
      let text = '';
      const isThere = new Promise<void>((resolve) => {
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.includes('event: job-end')) resolve();
        });
      });
      await once(response, 'data');
      await call('POST', '/jobs/info');
      await call('POST', '/jobs/load', 'x');
      await isThere;
      const events = text.split('\n\n').filter((block) => block.startsWith('event'));
      expect(events).to.have.length(2);
      expect(events[0]).to.match(/^event: job\ndata: \{"kind":"job","id":2,"parent":null,"name":"load"/);
      response.on('error', () => {});
      sent.destroy();
    });
  });

  describe('routes of plugins', () => {
    it('take env from the body, stdin from the body, or neither', async () => {
      const quiet = object({ quiet: flag });
      engine.route({
        method: 'POST',
        path: '/quiet',
        run: async (asked, start) => start('load', [], await asked.json(quiet)),
      });
      engine.route({
        method: 'PUT',
        path: '/copies/:name+',
        contentType: 'text/plain',
        hasStdin: true,
        run: (asked, start) => start('load', [], { quiet: asked.params.get('name') === 'a/b' }),
      });
      engine.route({ method: 'GET', path: '/nothing', run: async () => null });
      await server[Symbol.asyncDispose]();
      server = await serving(engine);
      const type = { 'Content-Type': 'application/json' };
      expect((await call('POST', '/quiet', '{"quiet":true}', type)).json).to.deep.equal({ images: ['0'] });
      expect((await call('POST', '/quiet', '{}', type)).status).to.equal(400);
      expect((await call('PUT', '/copies/a/b', 'bytes')).bytes.toString()).to.equal('bytes');
      expect((await call('GET', '/nothing')).status).to.equal(204);
    });

    it('may not take the place of one that is there', () => {
      engine.route({ method: 'GET', path: '/jobs', run: async () => null });
      expect(() => apiRoutes(engine)).to.throw(Conflict, 'route GET /jobs is there already');
    });
  });
});

async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}

function framesOf(bytes: Buffer): [type: number, payload: string][] {
  return new FrameReader().push(bytes).map(({ type, payload }) => [type, payload.toString()]);
}
