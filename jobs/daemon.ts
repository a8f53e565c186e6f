/** The stores and drivers a job may ask for. A handler takes a `Pick` of it: just what it touches. */
import type { JobTable } from '../api/jobs.ts';
import type { ExecDriver } from '../drivers/exec/driver.ts';
import type { LogDriver } from '../drivers/log/driver.ts';
import type { NetworkDriver } from '../drivers/network/driver.ts';
import type { Handler, Job } from '../engine/job.ts';
import type { Containers } from '../state/containers.ts';
import type { DepartedContainers } from '../state/departed.ts';
import type { Events } from '../state/events.ts';
import type { Execs } from '../state/execs.ts';
import type { Images } from '../state/images.ts';
import type { Layers } from '../state/layers.ts';
import type { References } from '../state/references.ts';
import type { Volumes } from '../state/volumes.ts';
import type { Attachments } from './containers/attachments.ts';
import type { Supervisor } from './containers/supervise.ts';
import type { Host } from './host.ts';

export interface Daemon {
  readonly containers: Containers;
  /** For `wait` alone. */
  readonly departed: DepartedContainers;
  readonly execs: Execs;
  readonly images: Images;
  readonly references: References;
  readonly layers: Layers;
  readonly volumes: Volumes;
  readonly events: Events;
  readonly exec: ExecDriver;
  /** By network mode: `none`, `host`. */
  readonly networks: ReadonlyMap<string, NetworkDriver>;
  /** By name, as `--log-driver` has it. */
  readonly logs: ReadonlyMap<string, LogDriver>;
  readonly supervisor: Supervisor;
  /** Clients attached to containers that do not run yet. */
  readonly attachments: Attachments;
  /** What this machine is and how the daemon was set up: cgroup version, kernel, folders, defaults. */
  readonly host: Host;
}

export type JobHandler<Name extends keyof JobTable> = Handler<JobTable[Name], JobTable>;
export type RunningJob<Name extends keyof JobTable> = Job<JobTable[Name], JobTable>;
