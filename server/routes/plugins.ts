/** Routes that plugins brought along (engine/routes.ts), as routes of this server. */
import { Conflict } from '../../api/errors.ts';
import type { JobTable } from '../../api/jobs.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Job, Signature } from '../../engine/job.ts';
import type { PluginRoute, StartJob } from '../../engine/routes.ts';
import { asError } from '../../std/thrown.ts';
import { Outflow } from '../outflow.ts';
import type { Answer, ApiRequest, Route } from '../route.ts';

type RunningEngine = Engine<JobTable>;

/** Fails with Conflict when one is among `taken` already. */
export function pluginRoutes(engine: RunningEngine, taken: readonly Route[]): readonly Route[] {
  const keys = new Set(taken.map(({ method, path }) => `${method} ${path}`));
  return engine.routes.map((route) => {
    const key = `${route.method} ${route.path}`;
    if (keys.has(key)) throw new Conflict(`route ${key} is there already`);
    keys.add(key);
    return { method: route.method, path: route.path, handle: (request) => handle(engine, route, request) };
  });
}

async function handle(engine: RunningEngine, route: PluginRoute<JobTable>, request: ApiRequest): Promise<Answer> {
  if (route.contentType !== undefined) return stream(engine, route, route.contentType, request);
  const result = await route.run(
    request,
    starter(engine, route, request, () => {}),
  );
  return result === null || result === undefined ? { status: 204 } : { status: 200, json: result };
}

/** A failure before the first byte is answered with its own status; one after it cuts the connection. */
async function stream(
  engine: RunningEngine,
  route: PluginRoute<JobTable>,
  contentType: string,
  request: ApiRequest,
): Promise<Answer> {
  const out = new Outflow();
  const connect = <S extends Signature>(job: Job<S, JobTable>) => {
    job.stdout.add({ write: (chunk) => out.write(chunk), drained: () => out.drained(), end: () => {} });
  };
  const running = route.run(request, starter(engine, route, request, connect));
  await Promise.race([running, out.begun]);
  running.then(
    () => out.end(),
    (error: unknown) => out.end(asError(error)),
  );
  return { status: 200, contentType, out };
}

function starter(
  engine: RunningEngine,
  { hasStdin = false }: PluginRoute<JobTable>,
  request: ApiRequest,
  connect: <S extends Signature>(job: Job<S, JobTable>) => void,
): StartJob<JobTable> {
  return (name, args, env) => {
    const { signal } = request;
    const job = engine.job(name, args, env, hasStdin ? { signal, stdin: request.body } : { signal });
    connect(job);
    return job.run();
  };
}
