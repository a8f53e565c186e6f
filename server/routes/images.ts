/** /images */
import { Readable } from 'node:stream';
import { NotImplemented } from '../../api/errors.ts';
import type { JobTable } from '../../api/jobs.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Answer, ApiRequest, Route } from '../route.ts';
import { answerLines } from '../run-job.ts';
import { type ApiVersion, isAtLeast } from '../version.ts';

const LIST_FILTERS = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'];
/** What images had in their config as long as it was a container's. */
const CONTAINER_ONLY = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
};

type RunningEngine = Engine<JobTable>;
type Row = Readonly<Record<string, unknown>>;

export const imageRoutes = (engine: RunningEngine): readonly Route[] => [
  {
    method: 'GET',
    path: '/images/json',
    handle: async ({ query, version, signal }) => {
      const env = { all: query.flag('all'), digests: query.flag('digests'), filters: query.filters(LIST_FILTERS) };
      const rows = await engine.run('images', [], env, { signal });
      return { status: 200, json: rows.map((row) => summaryFor(version, row)) };
    },
  },
  { method: 'POST', path: '/images/create', handle: (request) => createImage(engine, request) },
  {
    method: 'POST',
    path: '/images/load',
    handle: ({ query, body, signal }) =>
      answerLines(engine.job('load', [], { quiet: query.flag('quiet', true) }, { signal, stdin: body }), {
        isAtOnce: true,
      }),
  },
  {
    method: 'GET',
    path: '/images/:name+/json',
    handle: async ({ params, version, signal }) => {
      const found = await engine.run('image_inspect', [params.get('name')], {}, { signal });
      return { status: 200, json: inspectFor(version, found) };
    },
  },
  {
    method: 'GET',
    path: '/images/:name+/history',
    handle: async ({ params, signal }) => ({
      status: 200,
      json: await engine.run('history', [params.get('name')], {}, { signal }),
    }),
  },
  {
    method: 'POST',
    path: '/images/:name+/tag',
    takesForm: true,
    handle: async ({ params, query, signal }) => {
      const [name, repository, tag] = [params.get('name'), query.text('repo'), query.text('tag')];
      await engine.run('tag', tag === '' ? [name, repository] : [name, repository, tag], {}, { signal });
      return { status: 201 };
    },
  },
  {
    method: 'DELETE',
    path: '/images/:name+',
    handle: async ({ params, query, signal }) => {
      const env = { force: query.flag('force'), noprune: query.flag('noprune') };
      return { status: 200, json: await engine.run('image_delete', [params.get('name')], env, { signal }) };
    },
  },
];

/** One path, two verbs: an import has `fromSrc`, a pull `fromImage`. */
async function createImage(engine: RunningEngine, request: ApiRequest): Promise<Answer> {
  const { query, body, signal } = request;
  const source = query.text('fromSrc');
  if (source === '') {
    throw new NotImplemented(
      `pulling ${query.text('fromImage') || 'an image'} from a registry is not there yet: use docker load or docker import`,
    );
  }
  const [repository, tag] = [query.text('repo'), query.text('tag')];
  const args: JobTable['import']['args'] =
    repository === '' ? [source] : tag === '' ? [source, repository] : [source, repository, tag];
  const env = { message: query.text('message'), changes: query.all('changes'), platform: query.text('platform') };
  return answerLines(engine.job('import', args, env, { signal, stdin: source === '-' ? body : Readable.from([]) }));
}

function summaryFor(version: ApiVersion, row: Row): Row {
  const shaped: Record<string, unknown> = { ...row };
  if (!isAtLeast(version, '1.44')) shaped['VirtualSize'] = row['Size'];
  if (!isAtLeast(version, '1.43')) {
    if (isEmpty(row['RepoTags'])) shaped['RepoTags'] = ['<none>:<none>'];
    if (isEmpty(row['RepoDigests'])) shaped['RepoDigests'] = ['<none>@<none>'];
  }
  return shaped;
}

function inspectFor(version: ApiVersion, found: Row): Row {
  const shaped: Record<string, unknown> = { ...found };
  if (!isAtLeast(version, '1.44')) shaped['VirtualSize'] = found['Size'];
  if (!isAtLeast(version, '1.45')) Object.assign(shaped, { Container: '', ContainerConfig: null });
  if (!isAtLeast(version, '1.50') && isRow(found['Config']))
    shaped['Config'] = { ...CONTAINER_ONLY, ...found['Config'] };
  return shaped;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null;
}
