import type { Supervisor } from './supervise.ts';

/** For a job that only looks whether a container's process is there. */
export interface Running {
  readonly supervisor: Pick<Supervisor, 'process'>;
}
