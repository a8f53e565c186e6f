import { once } from 'node:events';
import { Agent, request as sendRequest } from 'node:http';
import { expect } from 'chai';
import { Conflict } from '../../api/errors.ts';
import { Outflow } from '../../server/outflow.ts';
import type { ApiRequest, Route } from '../../server/route.ts';
import { anything, integer, object } from '../../std/decode.ts';
import { collect, type Listening, listening, until } from './listening.ts';

let seen: ApiRequest[] = [];
const asking = (method: Route['method'], path: string, extra: Partial<Route> = {}): Route => ({
  method,
  path,
  handle: async (request) => {
    seen.push(request);
    return { status: 200, json: { path, name: request.params.get('name') } };
  },
  ...extra,
});
const ROUTES: readonly Route[] = [
  asking('GET', '/images/json'),
  asking('GET', '/images/:name+/json'),
  asking('GET', '/images/:name+/history'),
  asking('DELETE', '/images/:name+'),
  asking('GET', '/containers/:name/json'),
  asking('GET', '/young', { since: '1.44' }),
  {
    method: 'POST',
    path: '/body',
    handle: async (request) => ({
      status: 200,
      json: await request.json(object({ Number: integer, Anything: anything })),
    }),
  },
  {
    method: 'GET',
    path: '/conflict',
    handle: async () => {
      throw new Conflict('it is there already');
    },
  },
  {
    method: 'GET',
    path: '/bug',
    handle: async () => {
      throw new TypeError('undefined is not a function');
    },
  },
  {
    method: 'POST',
    path: '/form',
    takesForm: true,
    handle: async ({ query }) => ({ status: 200, json: { signal: query.text('signal'), t: query.text('t') } }),
  },
  { method: 'GET', path: '/big', handle: async () => ({ status: 200, json: { timeNano: 1764000000123456789n } }) },
  { method: 'GET', path: '/unchanged', handle: async () => ({ status: 304 }) },
  { method: 'HEAD', path: '/_ping', handle: async () => ({ status: 200, text: '' }) },
];

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function parse(text: string): Answer {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s);
  const [line = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(fields.map((field) => field.split(/: (.*)/s).slice(0, 2)));
  return { status: Number(line.split(' ')[1]), headers, body };
}

describe('the API server', () => {
  let server: Listening;
  const send = async (method: string, path: string, rest = 'Host: x\r\n\r\n') =>
    parse(await server.exchange(`${method} ${path} HTTP/1.1\r\nConnection: close\r\n${rest}`));
  const post = (body: string, headers = 'Content-Type: application/json\r\n') =>
    send('POST', '/body', `Host: x\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  const message = (answer: Answer): string => JSON.parse(answer.body).message;

  beforeEach(async () => {
    seen = [];
    server = await listening(ROUTES);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  describe('its paths', () => {
    const cases: readonly (readonly [method: string, path: string, route: string, name: string])[] = [
      ['GET', '/images/json', '/images/json', ''],
      ['GET', '/v1.44/images/json', '/images/json', ''],
      ['GET', '/images/busybox/json', '/images/:name+/json', 'busybox'],
      ['GET', '/images/localhost:5000/a/b:tag/json', '/images/:name+/json', 'localhost:5000/a/b:tag'],
      ['GET', '/images/a/json/json', '/images/:name+/json', 'a/json'],
      ['GET', '/images/json/json', '/images/:name+/json', 'json'],
      ['GET', '/images/a/history', '/images/:name+/history', 'a'],
      ['GET', '/images/docker.io%2Flibrary%2Fbusybox/json', '/images/:name+/json', 'docker.io/library/busybox'],
      ['GET', '/images/a@sha256:00/json', '/images/:name+/json', 'a@sha256:00'],
      ['DELETE', '/v1.50/images/a/b', '/images/:name+', 'a/b'],
      ['GET', '/containers/%2Fweb/json', '/containers/:name/json', '/web'],
      ['GET', '/images/json?filters=%7B%7D', '/images/json', ''],
    ];
    for (const [method, path, route, name] of cases) {
      it(`takes ${method} ${path} to ${route}`, async () => {
        const answer = await send(method, path);
        expect(answer.status).to.equal(200);
        expect(JSON.parse(answer.body)).to.deep.equal({ path: route, name });
      });
    }

    for (const path of ['/nothing', '/containers//json', '/v1.44', '/images/%zz/json', '/v1.44//images/json']) {
      it(`answers 404 to ${path}`, async () => {
        const answer = await send('GET', path);
        expect(answer.status).to.equal(404);
        expect(answer.headers['Content-Type']).to.equal('application/json');
        expect(message(answer)).to.equal('page not found');
      });
    }

    it('answers 404 to a method that a path does not have', async () => {
      expect((await send('PATCH', '/images/json')).status).to.equal(404);
      expect((await send('POST', '/images/json')).status).to.equal(404);
    });
  });

  describe('versions', () => {
    it('refuses one that is too new', async () => {
      const answer = await send('GET', '/v1.51/images/json');
      expect(answer.status).to.equal(400);
      expect(message(answer)).to.equal('client version 1.51 is too new. Maximum supported API version is 1.50');
    });

    it('refuses one that is too old, in plain text', async () => {
      const answer = await send('GET', '/v1.21/images/json');
      expect(answer.status).to.equal(400);
      expect(answer.headers['Content-Type']).to.match(/^text\/plain/);
      expect(answer.body).to.equal(
        'client version 1.21 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n',
      );
    });

    it('compares them part by part', async () => {
      expect((await send('GET', '/v1.9/images/json')).status).to.equal(400);
      expect((await send('GET', '/v1.24/images/json')).status).to.equal(200);
    });

    it('is the newest without a prefix', async () => {
      await send('GET', '/images/json');
      expect(seen[0]?.version).to.equal('1.50');
    });

    it('refuses a route younger than the version asked for', async () => {
      const answer = await send('GET', '/v1.43/young');
      expect(answer.status).to.equal(400);
      expect(message(answer)).to.equal('GET /young requires minimum API version 1.44');
    });
  });

  describe('answers', () => {
    it('carry the headers of Docker, whatever they are', async () => {
      for (const path of ['/images/json', '/nothing', '/bug', '/unchanged']) {
        const { headers } = await send('GET', path);
        expect(headers).to.include({ 'Api-Version': '1.50', 'Docker-Experimental': 'false', Ostype: 'linux' });
        expect(headers['Server']).to.match(/^Docker\/\S+ \(linux\)$/);
      }
    });

    it('are application/json and nothing more', async () => {
      expect((await send('GET', '/images/json')).headers['Content-Type']).to.equal('application/json');
    });

    it('map an error to its status and message', async () => {
      const answer = await send('GET', '/conflict');
      expect(answer.status).to.equal(409);
      expect(answer.body).to.equal('{"message":"it is there already"}\n');
    });

    it('say 500 for a bug, and go on', async () => {
      expect((await send('GET', '/bug')).status).to.equal(500);
      expect((await send('GET', '/images/json')).status).to.equal(200);
    });

    it('write a bigint as bare digits', async () => {
      expect((await send('GET', '/big')).body).to.equal('{"timeNano":1764000000123456789}\n');
    });

    it('have no body at 304', async () => {
      const answer = await send('GET', '/unchanged');
      expect(answer.status).to.equal(304);
      expect(answer.body).to.equal('');
    });

    it('have length 0 to a HEAD', async () => {
      expect((await send('HEAD', '/_ping')).headers['Content-Length']).to.equal('0');
    });
  });

  describe('a form in the body', () => {
    const postForm = async (path: string, body: string, type = 'application/x-www-form-urlencoded') => {
      const fields = `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}`;
      return JSON.parse((await send('POST', path, `Host: x\r\n${fields}\r\n\r\n${body}`)).body);
    };

    it('counts as the query does, and before it', async () => {
      expect(await postForm('/form?signal=KILL&t=5', 'signal=HUP')).to.deep.equal({ signal: 'HUP', t: '5' });
    });

    it('is passed over under another content type', async () => {
      expect(await postForm('/form?t=5', 'signal=HUP', 'text/plain')).to.deep.equal({ signal: '', t: '5' });
    });

    it('is no form where the route takes none', async () => {
      expect((await postForm('/body', '{"Number":1}')).message).to.match(/^unsupported Content-Type/);
    });
  });

  describe('a JSON body', () => {
    const good = '{"Number":1,"Anything":{"a":[1]}}';

    it('is decoded, with keys in any case and unknown ones left out', async () => {
      expect(JSON.parse((await post('{"number":1,"other":2}')).body)).to.deep.equal({ Number: 1 });
    });

    it('is taken in chunks', async () => {
      const answer = await send(
        'POST',
        '/body',
        `Host: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${good.length.toString(16)}\r\n${good}\r\n0\r\n\r\n`,
      );
      expect(answer.status).to.equal(200);
    });

    it('is taken with a charset', async () => {
      expect((await post(good, 'Content-Type: application/json; charset=utf-8\r\n')).status).to.equal(200);
    });

    const bad: readonly (readonly [what: string, body: string, words: RegExp])[] = [
      ['is malformed', '{"Number":', /^invalid JSON: /],
      ['has something behind it', `${good}{}`, /^unexpected content after JSON$/],
      ['is blank', ' ', /^invalid JSON: got EOF while reading request body$/],
      [
        'has the wrong type',
        '{"Number":"one"}',
        /^invalid JSON: body\.Number: expected a whole number, got string "one"$/,
      ],
      ['is a list', '[]', /^invalid JSON: body: expected an object, got a list$/],
      ['has a number no double holds', '{"Number":9223372036854775807}', /Number/],
      ['is too deep', `{"Number":1,"Anything":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /levels deep/],
    ];
    for (const [what, body, words] of bad) {
      it(`is refused when it ${what}`, async () => {
        const answer = await post(body);
        expect(answer.status).to.equal(400);
        expect(message(answer)).to.match(words);
      });
    }

    it('is refused without a content type', async () => {
      expect(message(await post(good, ''))).to.equal('malformed Content-Type header (): mime: no media type');
    });

    it('is refused under another content type', async () => {
      const answer = await post(good, 'Content-Type: text/plain\r\n');
      expect(answer.status).to.equal(400);
      expect(message(answer)).to.equal("unsupported Content-Type header (text/plain): must be 'application/json'");
    });

    it('is refused over 4 MiB, before it is all there', async () => {
      const socket = await server.connect();
      socket.write(
        'POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4194305\r\n\r\n',
      );
      const head = await until(socket, '}\n');
      socket.destroy();
      expect(parse(head).status).to.equal(413);
      expect(message(parse(head))).to.match(/at most 4194304 bytes/);
    });
  });

  describe('bytes that are no request', () => {
    const cases: readonly (readonly [what: string, bytes: string])[] = [
      ['garbage', 'hello\r\n\r\n'],
      ['two lengths', 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
      [
        'a length and chunks',
        'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      ],
      ['a signed length', 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n{}'],
      ['an unknown coding', 'POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n'],
      ['a space before the colon', 'GET /images/json HTTP/1.1\r\nHost : x\r\n\r\n'],
      ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['no host', 'GET /images/json HTTP/1.1\r\n\r\n'],
    ];
    for (const [what, bytes] of cases) {
      it(`are refused: ${what}`, async () => {
        const answer = parse(await server.exchange(bytes));
        expect(answer.status).to.be.within(400, 499);
        expect(seen).to.deep.equal([]);
      });
    }

    it('are refused when the headers are too large', async () => {
      const answer = parse(await server.exchange(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`));
      expect(answer.status).to.equal(431);
      expect(message(answer)).to.equal('request headers are too large');
    });
  });

  it('answers a request for an upgrade that it does not know as a plain one', async () => {
    const answer = await send(
      'GET',
      '/images/json',
      'Host: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n',
    );
    expect(answer.status).to.equal(200);
  });

  it('answers a caller that has closed its side', async () => {
    const answer = parse(await server.exchange('GET /images/json HTTP/1.1\r\nHost: x\r\n\r\n'));
    expect(answer.status).to.equal(200);
  });

  it('answers one request after the other on a connection', async () => {
    const text = await server.exchange('GET /images/json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    expect(text.match(/HTTP\/1\.1 200/g)).to.have.length(3);
  });

  it('holds requests until it accepts', async () => {
    await using waiting = await listening(ROUTES, false);
    const agent = new Agent();
    const sent = sendRequest({ socketPath: waiting.path, path: '/images/json', agent }).end();
    const answered = once(sent, 'response');
    await once(sent, 'finish');
    expect(seen).to.deep.equal([]);
    waiting.api.accept();
    const [response] = await answered;
    expect(response.statusCode).to.equal(200);
    agent.destroy();
  });
});

describe('a long answer', () => {
  const streams: { out: Outflow; signal: AbortSignal }[] = [];
  const streaming: Route = {
    method: 'GET',
    path: '/stream',
    handle: async ({ signal }) => {
      const out = new Outflow();
      streams.push({ out, signal });
      out.write(Buffer.from('early'));
      return { status: 200, contentType: 'application/json', out };
    },
  };
  let server: Listening;
  const stream = () => streams.at(-1) ?? expect.fail('no request came');

  beforeEach(async () => {
    server = await listening([streaming]);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  it('sends its headers and what was written before them at once', async () => {
    const socket = await server.connect();
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
    const head = await until(socket, 'early');
    expect(head).to.include('Transfer-Encoding: chunked').and.include('Content-Type: application/json\r\n');
    stream().out.write(Buffer.from('late'));
    stream().out.end();
    expect(await until(socket, '0\r\n\r\n')).to.include('late');
    socket.destroy();
  });

  it('cuts the connection when it fails', async () => {
    const socket = await server.connect();
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(socket, 'early');
    stream().out.end(new Error('the disk is gone'));
    expect(await collect(socket)).to.not.include('0\r\n\r\n');
  });

  it('raises the signal when the caller goes away', async () => {
    const socket = await server.connect();
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(socket, 'early');
    const gone = once(stream().signal, 'abort');
    socket.destroy();
    await gone;
    expect(stream().out.write(Buffer.from('nobody reads this'))).to.equal(true);
  });

  it('holds the writer back when the reader does not read', async () => {
    const socket = await server.connect();
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(socket, 'early');
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    while (stream().out.write(chunk) && written < 64 * 1024 * 1024) written += chunk.length;
    expect(written).to.be.below(4 * 1024 * 1024);
    socket.resume();
    await stream().out.drained();
    socket.destroy();
  });
});
