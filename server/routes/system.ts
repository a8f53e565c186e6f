/** /_ping /version /info /events */
import type { JobTable } from '../../api/jobs.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiRequest, Route, ShortAnswer } from '../route.ts';
import { answerLines } from '../run-job.ts';

const EVENT_FILTERS = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
];

export const systemRoutes = (engine: Engine<JobTable>): readonly Route[] => [
  { method: 'GET', path: '/_ping', handle: ({ signal }) => ping(engine, signal) },
  { method: 'HEAD', path: '/_ping', handle: async ({ signal }) => ({ ...(await ping(engine, signal)), text: '' }) },
  {
    method: 'GET',
    path: '/version',
    handle: async ({ signal }) => ({ status: 200, json: await engine.run('version', [], {}, { signal }) }),
  },
  {
    method: 'GET',
    path: '/info',
    handle: async ({ signal }) => ({ status: 200, json: await engine.run('info', [], {}, { signal }) }),
  },
  { method: 'GET', path: '/events', handle: (request) => events(engine, request) },
  { method: 'OPTIONS', path: '*', handle: async () => ({ status: 200 }) },
];

/** The engine has no builder yet: version 1 makes clients use POST /build, which says so. */
async function ping(engine: Engine<JobTable>, signal: AbortSignal): Promise<ShortAnswer> {
  return {
    status: 200,
    text: await engine.run('ping', [], {}, { signal }),
    headers: {
      'Builder-Version': '1',
      Swarm: 'inactive',
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
    },
  };
}

function events(engine: Engine<JobTable>, { query, signal }: ApiRequest) {
  const env = {
    since: query.text('since') || null,
    until: query.text('until') || null,
    filters: query.filters(EVENT_FILTERS),
  };
  return answerLines(engine.job('events', [], env, { signal }));
}
