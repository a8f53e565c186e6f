import type { JobTable } from '../api/jobs.ts';
import type { Engine } from '../engine/engine.ts';
import type { Route } from './route.ts';
import { containerRoutes } from './routes/containers.ts';
import { imageRoutes } from './routes/images.ts';
import { laterRoutes } from './routes/later.ts';
import { resourceRoutes } from './routes/resources.ts';
import { stdioRoutes } from './routes/stdio.ts';
import { systemRoutes } from './routes/system.ts';

/** The whole API: the contents page of this folder. */
export const apiRoutes = (engine: Engine<JobTable>): readonly Route[] => [
  ...systemRoutes(engine),
  ...containerRoutes(engine),
  ...stdioRoutes(engine),
  ...imageRoutes(engine),
  ...resourceRoutes(engine),
  ...laterRoutes(),
];
