/**
 * demo — starts an engine on folders of its own, loads an image made on the spot, runs a container through the API and
 * shows which jobs ran and what each one asked of the kernel. Takes everything away again, also when it fails or is
 * interrupted.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { FrameReader } from '../api/streams.ts';
import { tracedRequest } from '../api/trace.ts';
import { treeOf } from '../client/trace-tree.ts';
import { integer, list, object, optional, text } from '../std/decode.ts';
import { startGantryd } from '../test/stand-ins/daemon.ts';
import { busyboxImage } from './busybox-image.ts';
import { dockerArchive } from './image-archive.ts';

const SCRIPT = 'echo "Hello from $(hostname), process $$ as $(id -un)"; cat /proc/self/cgroup | head -3; ls /';
const created = object({ Id: text });
const waited = object({ StatusCode: integer });
const traced = list(object({ id: integer, name: optional(text, ''), args: optional(list(optional(text, '')), []) }));

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: Buffer | object;
}

if (process.getuid?.() !== 0) {
  process.stderr.write('demo: containers need root: sudo npm run demo\n');
  process.exit(1);
}
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
/** A reader that has enough (`npm run demo | head`) is no reason to leave anything behind. */
process.stdout.on('error', () => interrupted.abort());
process.exitCode = await tour(interrupted.signal);

async function tour(signal: AbortSignal): Promise<number> {
  say('An engine, on folders of its own');
  await using daemon = await startGantryd();
  tell(`gantryd ${daemon.pid} listens on ${daemon.host}`);
  const call = caller(daemon.host, signal);
  try {
    await image(call);
    const id = await container(call);
    await insight(call, id);
    await call({ method: 'DELETE', path: `/containers/${id}?force=1` });
    say('And away with all of it');
    return 0;
  } catch (error) {
    process.stderr.write(`demo: ${signal.aborted ? 'interrupted' : String(error)}\n`);
    if (!signal.aborted) process.stderr.write(daemon.log());
    return 1;
  }
}

async function image(call: Caller): Promise<void> {
  say('An image: busybox, made of /bin/busybox on the spot (POST /images/load)');
  const body = await dockerArchive([await busyboxImage()]);
  tell((await call({ method: 'POST', path: '/images/load?quiet=1', body })).toString().trim());
}

async function container(call: Caller): Promise<string> {
  say('A container: create, start, wait, logs');
  tell(`$ docker run --net none --hostname demo busybox sh -c '${SCRIPT}'`);
  const body = { Image: 'busybox', Hostname: 'demo', Cmd: ['sh', '-c', SCRIPT], HostConfig: { NetworkMode: 'none' } };
  const { Id } = created(JSON.parse((await call({ method: 'POST', path: '/containers/create', body })).toString()), '');
  await call({ method: 'POST', path: `/containers/${Id}/start` });
  const { StatusCode } = waited(
    JSON.parse((await call({ method: 'POST', path: `/containers/${Id}/wait` })).toString()),
    '',
  );
  const logs = await call({ method: 'GET', path: `/containers/${Id}/logs?stdout=1&stderr=1` });
  for (const { payload } of new FrameReader().push(logs)) process.stdout.write(payload);
  tell(`exit status ${StatusCode}`);
  return Id;
}

/** The jobs of the requests above, the newest last. */
async function insight(call: Caller, id: string): Promise<void> {
  const requests = traced(JSON.parse((await call({ method: 'GET', path: '/jobs/trace' })).toString()), 'trace');
  for (const name of ['create', 'start']) {
    const found = requests.find((each) => each.name === name && (name === 'create' || each.args[0] === id));
    if (found === undefined) continue;
    say(`What ${name} did: jobs, driver calls, and every operation that the kernel ran, with its time`);
    const trace = await call({ method: 'GET', path: `/jobs/trace/${found.id}` });
    process.stdout.write(`${treeOf(tracedRequest(JSON.parse(trace.toString()), 'trace'))}\n`);
  }
}

type Caller = (call: Call) => Promise<Buffer>;

function caller(host: string, signal: AbortSignal): Caller {
  const socketPath = host.slice('unix://'.length);
  return async ({ method, path, body }) => {
    const isJSON = body !== undefined && !Buffer.isBuffer(body);
    const type = isJSON ? 'application/json' : 'application/x-tar';
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = body === undefined ? {} : { 'Content-Type': type };
      const sent = httpRequest({ method, path, socketPath, headers, agent: false, signal }, resolve);
      sent.on('error', reject);
      sent.end(isJSON ? JSON.stringify(body) : body);
    });
    const answer = await buffer(response);
    if ((response.statusCode ?? 500) >= 400) throw new Error(`${method} ${path}: ${answer}`);
    return answer;
  };
}

function say(words: string): void {
  process.stdout.write(`\n\u001b[1m${words}\u001b[0m\n`);
}

function tell(words: string): void {
  process.stdout.write(`${words}\n`);
}
