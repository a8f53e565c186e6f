/** /networks /volumes /plugins, as far as they are there to be looked at. */
import { NotFound } from '../../api/errors.ts';
import type { JobTable } from '../../api/jobs.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiRequest, Route, ShortAnswer } from '../route.ts';

const NETWORK_FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const VOLUME_FILTERS = ['dangling', 'driver', 'label', 'name'];

type RunningEngine = Engine<JobTable>;

export const resourceRoutes = (engine: RunningEngine): readonly Route[] => [
  { method: 'GET', path: '/networks', handle: (request) => networks(engine, request) },
  { method: 'GET', path: '/networks/', handle: (request) => networks(engine, request) },
  {
    method: 'GET',
    path: '/networks/:id',
    handle: async ({ params, signal }) => ({
      status: 200,
      json: await engine.run('network_inspect', [params.get('id')], {}, { signal }),
    }),
  },
  {
    method: 'GET',
    path: '/volumes',
    handle: async ({ query, signal }) => {
      const Volumes = await engine.run('volumes', [], { filters: query.filters(VOLUME_FILTERS) }, { signal });
      return { status: 200, json: { Volumes, Warnings: null } };
    },
  },
  {
    method: 'GET',
    path: '/volumes/:name',
    handle: async ({ params, signal }) => ({
      status: 200,
      json: await engine.run('volume_inspect', [params.get('name')], {}, { signal }),
    }),
  },
  { method: 'GET', path: '/plugins', handle: async () => ({ status: 200, json: [] }) },
  {
    method: 'GET',
    path: '/plugins/:name+/json',
    handle: async ({ params }) => {
      throw new NotFound(`plugin ${JSON.stringify(params.get('name'))} not found`);
    },
  },
];

/** The list tells nothing of the containers in a network; inspect does. */
async function networks(engine: RunningEngine, { query, signal }: ApiRequest): Promise<ShortAnswer> {
  const rows = await engine.run('networks', [], { filters: query.filters(NETWORK_FILTERS) }, { signal });
  return { status: 200, json: rows.map((row) => ({ ...row, Containers: {} })) };
}
