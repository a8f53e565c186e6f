/** Where a container's own streams are the answer: logs, attach, exec. */
import { PassThrough } from 'node:stream';
import { execConfig } from '../../api/container.ts';
import { InvalidParameter } from '../../api/errors.ts';
import type { AttachEnv, JobTable } from '../../api/jobs.ts';
import { MULTIPLEXED_STREAM, RAW_STREAM } from '../../api/streams.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Job, Signature } from '../../engine/job.ts';
import { flag, integer, list, nullable, object, optional } from '../../std/decode.ts';
import type { Answer, ApiRequest, Route } from '../route.ts';
import { runStdio } from '../run-job.ts';
import { isAtLeast } from '../version.ts';

const execStartBody = object({
  Detach: optional(flag, false),
  Tty: optional(flag, false),
  ConsoleSize: nullable(list(integer)),
});

type RunningEngine = Engine<JobTable>;

export const stdioRoutes = (engine: RunningEngine): readonly Route[] => [
  { method: 'GET', path: '/containers/:id+/logs', handle: (request) => logs(engine, request) },
  { method: 'POST', path: '/containers/:id+/attach', handle: (request) => attach(engine, request) },
  { method: 'GET', path: '/containers/:id+/attach/ws', handle: (request) => attachWebSocket(engine, request) },
  {
    method: 'POST',
    path: '/containers/:id+/exec',
    handle: async (request) => {
      const env = await request.json(execConfig);
      const made = await engine.run('exec_create', [request.params.get('id')], env, { signal: request.signal });
      return { status: 201, json: made };
    },
  },
  { method: 'POST', path: '/exec/:id/start', handle: (request) => execStart(engine, request) },
  {
    method: 'POST',
    path: '/exec/:id/resize',
    takesForm: true,
    handle: async ({ params, query, signal }) => {
      await engine.run('exec_resize', [params.get('id'), query.text('h'), query.text('w')], {}, { signal });
      return { status: 200 };
    },
  },
  {
    method: 'GET',
    path: '/exec/:id/json',
    handle: async ({ params, signal }) => ({
      status: 200,
      json: await engine.run('exec_inspect', [params.get('id')], {}, { signal }),
    }),
  },
];

async function logs(engine: RunningEngine, request: ApiRequest): Promise<Answer> {
  const { params, query, signal } = request;
  const env = {
    follow: query.flag('follow'),
    stdout: query.flag('stdout'),
    stderr: query.flag('stderr'),
    since: query.text('since'),
    until: query.text('until'),
    timestamps: query.flag('timestamps'),
    tail: query.text('tail') || 'all',
    details: query.flag('details'),
  };
  if (!env.stdout && !env.stderr) throw new InvalidParameter('Bad parameters: you must choose at least one stream');
  const { accepted, frames, out } = await runStdio(engine.job('logs', [params.get('id')], env, { signal }));
  const tty = accepted?.Tty ?? false;
  frames.begin(tty);
  return { status: 200, contentType: contentType(request, tty), out };
}

function attach(engine: RunningEngine, request: ApiRequest): Promise<Answer> {
  const env = attachEnv(request);
  const stdin = new PassThrough();
  if (!env.stdin) stdin.resume();
  const job = engine.job('attach', [request.params.get('id')], env, { signal: request.signal, stdin });
  return hijacked(request, job, stdin);
}

async function execStart(engine: RunningEngine, request: ApiRequest): Promise<Answer> {
  const env = await request.json(execStartBody);
  const args: [string] = [request.params.get('id')];
  if (env.Detach) {
    await engine.run('exec_start', args, env);
    return { status: 200 };
  }
  const stdin = new PassThrough();
  return hijacked(request, engine.job('exec_start', args, env, { signal: request.signal, stdin }), stdin);
}

async function hijacked<S extends Signature & { accept: { Tty: boolean } }>(
  request: ApiRequest,
  job: Job<S, JobTable>,
  stdin: PassThrough,
): Promise<Answer> {
  const { accepted, frames, out } = await runStdio(job);
  const tty = accepted?.Tty ?? false;
  frames.begin(tty);
  const type = request.isUpgrade ? contentType(request, tty) : RAW_STREAM;
  return { hijack: { contentType: type, out, stdin } };
}

/** A WebSocket has frames of its own: what the container writes goes into them as it is. */
async function attachWebSocket(engine: RunningEngine, request: ApiRequest): Promise<Answer> {
  if ((request.headers.upgrade ?? '').toLowerCase() !== 'websocket') {
    throw new InvalidParameter('not a WebSocket handshake: the header Upgrade is missing');
  }
  const asked = attachEnv(request);
  const env = isAtLeast(request.version, '1.42') ? asked : { ...asked, stdin: true, stdout: true, stderr: true };
  const stdin = new PassThrough();
  if (!env.stdin) stdin.resume();
  const job = engine.job('attach', [request.params.get('id')], env, { signal: request.signal, stdin });
  const { frames, out } = await runStdio(job);
  frames.begin(true);
  // Loaded when the first one comes: few ever do, and a daemon is to start fast.
  const { carryOver } = await import('../web-socket.ts');
  return { webSocket: (handshake) => carryOver(handshake, out, stdin) };
}

function attachEnv({ query }: ApiRequest): AttachEnv {
  return {
    logs: query.flag('logs'),
    stream: query.flag('stream'),
    stdin: query.flag('stdin'),
    stdout: query.flag('stdout'),
    stderr: query.flag('stderr'),
    detachKeys: query.text('detachKeys'),
  };
}

function contentType({ version }: ApiRequest, tty: boolean): string {
  return !tty && isAtLeast(version, '1.42') ? MULTIPLEXED_STREAM : RAW_STREAM;
}
