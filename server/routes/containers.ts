/** /containers, but for those that stream. */
import { createBody } from '../../api/container.ts';
import { InvalidParameter } from '../../api/errors.ts';
import type { JobTable } from '../../api/jobs.ts';
import type { Engine } from '../../engine/engine.ts';
import { unreachable } from '../../std/unreachable.ts';
import { hasBody } from '../body.ts';
import type { Answer, ApiRequest, Route } from '../route.ts';
import { answerWhenDone } from '../run-job.ts';
import { isAtLeast } from '../version.ts';

const LIST_FILTERS = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];
/** Clients before 1.22 sent `{}` or `null` with a start, and some still do. */
const MAX_START_BODY_BYTES = 7;

type RunningEngine = Engine<JobTable>;

export const containerRoutes = (engine: RunningEngine): readonly Route[] => [
  { method: 'GET', path: '/containers/json', handle: (request) => list(engine, request) },
  { method: 'POST', path: '/containers/create', handle: (request) => create(engine, request) },
  {
    method: 'GET',
    path: '/containers/:id+/json',
    handle: async ({ params, query, signal }) => {
      const env = { size: query.flag('size') };
      return { status: 200, json: await engine.run('container_inspect', [params.get('id')], env, { signal }) };
    },
  },
  {
    method: 'GET',
    path: '/containers/:id+/top',
    handle: async ({ params, query, signal }) => {
      const psArgs = query.text('ps_args');
      const args: JobTable['top']['args'] = psArgs === '' ? [params.get('id')] : [params.get('id'), psArgs];
      return { status: 200, json: await engine.run('top', args, {}, { signal }) };
    },
  },
  { method: 'POST', path: '/containers/:id+/start', handle: (request) => start(engine, request) },
  { method: 'POST', path: '/containers/:id+/stop', takesForm: true, handle: (request) => stop(engine, request) },
  {
    method: 'POST',
    path: '/containers/:id+/restart',
    takesForm: true,
    handle: async (request) => {
      await engine.run('restart', [request.params.get('id')], patience(request), { signal: request.signal });
      return { status: 204 };
    },
  },
  {
    method: 'POST',
    path: '/containers/:id+/kill',
    takesForm: true,
    handle: async ({ params, query, signal }) => {
      const name = query.text('signal');
      await engine.run('kill', name === '' ? [params.get('id')] : [params.get('id'), name], {}, { signal });
      return { status: 204 };
    },
  },
  {
    method: 'POST',
    path: '/containers/:id+/pause',
    handle: async ({ params, signal }) => {
      await engine.run('pause', [params.get('id')], {}, { signal });
      return { status: 204 };
    },
  },
  {
    method: 'POST',
    path: '/containers/:id+/unpause',
    handle: async ({ params, signal }) => {
      await engine.run('unpause', [params.get('id')], {}, { signal });
      return { status: 204 };
    },
  },
  {
    method: 'POST',
    path: '/containers/:id+/rename',
    takesForm: true,
    handle: async ({ params, query, signal }) => {
      await engine.run('rename', [params.get('id'), query.text('name')], {}, { signal });
      return { status: 204 };
    },
  },
  {
    method: 'POST',
    path: '/containers/:id+/resize',
    takesForm: true,
    handle: async ({ params, query, signal }) => {
      await engine.run('resize', [params.get('id'), query.text('h'), query.text('w')], {}, { signal });
      return { status: 200 };
    },
  },
  { method: 'POST', path: '/containers/:id+/wait', takesForm: true, handle: (request) => wait(engine, request) },
  {
    method: 'DELETE',
    path: '/containers/:id+',
    handle: async ({ params, query, signal }) => {
      const env = { force: query.flag('force'), v: query.flag('v'), link: query.flag('link') };
      await engine.run('delete', [params.get('id')], env, { signal });
      return { status: 204 };
    },
  },
];

async function list(engine: RunningEngine, { query, signal }: ApiRequest): Promise<Answer> {
  const env = {
    all: query.flag('all'),
    limit: query.integer('limit') ?? 0,
    size: query.flag('size'),
    before: query.text('before'),
    since: query.text('since'),
    filters: query.filters(LIST_FILTERS),
  };
  return { status: 200, json: await engine.run('containers', [], env, { signal }) };
}

async function create(engine: RunningEngine, request: ApiRequest): Promise<Answer> {
  if (!hasBody(request.headers)) {
    throw new InvalidParameter('config cannot be empty in order to create a container');
  }
  const body = await request.json(createBody);
  const name = request.query.text('name');
  const Platform = isAtLeast(request.version, '1.41') ? request.query.text('platform') : '';
  const made = await engine.run('create', name === '' ? [] : [name], { ...body, Platform }, { signal: request.signal });
  return { status: 201, json: made };
}

async function start(engine: RunningEngine, { params, headers, signal }: ApiRequest): Promise<Answer> {
  const length = headers['content-length'];
  if (length === undefined ? hasBody(headers) : Number(length) > MAX_START_BODY_BYTES) {
    throw new InvalidParameter(
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    );
  }
  const outcome = await engine.run('start', [params.get('id')], {}, { signal });
  switch (outcome) {
    case 'started':
      return { status: 204 };
    case 'already running':
      return { status: 304 };
    default:
      return unreachable(outcome);
  }
}

async function stop(engine: RunningEngine, request: ApiRequest): Promise<Answer> {
  const outcome = await engine.run('stop', [request.params.get('id')], patience(request), { signal: request.signal });
  switch (outcome) {
    case 'stopped':
      return { status: 204 };
    case 'already stopped':
      return { status: 304 };
    default:
      return unreachable(outcome);
  }
}

/** How long to wait, and what to send; the signal is of 1.42. */
function patience({ query, version }: ApiRequest): { t: number | null; signal: string } {
  return { t: query.integer('t'), signal: isAtLeast(version, '1.42') ? query.text('signal') : '' };
}

function wait(engine: RunningEngine, { params, query, signal }: ApiRequest): Promise<Answer> {
  const condition = conditionOf(query.text('condition'));
  const job = engine.job('wait', [params.get('id')], { condition }, { signal });
  return answerWhenDone(job, (ended) => (ended.Error === null ? { StatusCode: ended.StatusCode } : ended));
}

function conditionOf(word: string): JobTable['wait']['env']['condition'] {
  if (word === '' || word === 'not-running') return 'not-running';
  if (word === 'next-exit' || word === 'removed') return word;
  throw new InvalidParameter(`invalid condition: ${JSON.stringify(word)}`);
}
