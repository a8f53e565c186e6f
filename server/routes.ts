import type { JobTable } from '../api/jobs.ts';
import type { Engine } from '../engine/engine.ts';
import type { Route } from './route.ts';
import { containerRoutes } from './routes/containers.ts';
import { imageRoutes } from './routes/images.ts';
import { jobRoutes } from './routes/jobs.ts';
import { laterRoutes } from './routes/later.ts';
import { pluginRoutes } from './routes/plugins.ts';
import { resourceRoutes } from './routes/resources.ts';
import { stdioRoutes } from './routes/stdio.ts';
import { systemRoutes } from './routes/system.ts';
import { traceRoutes } from './routes/trace.ts';

/** The whole API, and what plugins add to it: the contents page of this folder. */
export function apiRoutes(engine: Engine<JobTable>): readonly Route[] {
  const own = ownRoutes(engine);
  return [...own, ...pluginRoutes(engine, own)];
}

const ownRoutes = (engine: Engine<JobTable>): readonly Route[] => [
  ...systemRoutes(engine),
  ...containerRoutes(engine),
  ...stdioRoutes(engine),
  ...imageRoutes(engine),
  ...resourceRoutes(engine),
  ...jobRoutes(engine),
  ...traceRoutes(engine),
  ...laterRoutes(),
];
