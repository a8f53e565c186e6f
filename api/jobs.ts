/**
 * The job table: every job the engine can run, what it takes and what it gives. The contents page of the program.
 *
 *   args    positional strings, as on a command line
 *   env     a record of JSON values; the contract registered with the handler has its decoder
 *   accept  what a job says once its arguments are good and a long answer begins (`job.accept(value)`); absent = null
 *   result  the typed answer
 *
 * Bytes travel on stdin, stdout and stderr: the comment of a row says what they are. A plugin has a table of its own
 * beside this one: `Engine<JobTable & { greet: {…} }>` (examples/plugins).
 */
import type {
  ContainerInspect,
  ContainerSummary,
  CreateBody,
  ExecConfig,
  ExecInspect,
  TopResult,
  WaitResult,
} from './container.ts';
import type { Filters } from './filters.ts';
import type { DeleteRow, HistoryRow, ImageInspect, ImageSummary } from './image.ts';
import type { NetworkInspect, VolumeInspect } from './resources.ts';
import type { SystemInfo, SystemVersion } from './system.ts';

type None = Readonly<Record<never, never>>;
type Container = [container: string];

export interface JobTable {
  // ——— the engine itself
  /** Names of all jobs, sorted. stdout: one a line. */
  commands: { args: []; env: None; result: string[] };
  /** Listens on every address and stays until the engine stops. */
  serve_api: { args: string[]; env: None; result: null };
  /** Lets requests in: told to the service manager (sd_notify READY=1). */
  acceptconnections: { args: []; env: None; result: null };
  init_networkdriver: { args: []; env: None; result: null };

  // ——— system
  ping: { args: []; env: None; result: 'OK' };
  version: { args: []; env: None; result: SystemVersion };
  info: { args: []; env: None; result: SystemInfo };
  /** stdout: one JSON event a line, past ones first where since or until is given. accept: null */
  events: { args: []; env: { since: string | null; until: string | null; filters: Filters }; result: null };

  // ——— images
  images: { args: []; env: { all: boolean; digests: boolean; filters: Filters }; result: ImageSummary[] };
  image_inspect: { args: [image: string]; env: None; result: ImageInspect };
  history: { args: [image: string]; env: None; result: HistoryRow[] };
  tag: { args: [image: string, repository: string, tag?: string]; env: None; result: null };
  image_delete: { args: [image: string]; env: { force: boolean; noprune: boolean }; result: DeleteRow[] };
  /** stdin: an archive of `docker save` or an OCI layout, compressed or not. stdout: progress lines. accept: null */
  load: { args: []; env: { quiet: boolean }; result: { images: string[] } };
  /** stdin: the tar of a rootfs, compressed or not. stdout: progress lines. accept: null */
  import: {
    args: [source: string, repository?: string, tag?: string];
    env: { message: string; changes: string[]; platform: string };
    result: { id: string };
  };

  // ——— networks and volumes, as far as they are there to be looked at
  networks: { args: []; env: { filters: Filters }; result: NetworkInspect[] };
  network_inspect: { args: [network: string]; env: None; result: NetworkInspect };
  volumes: { args: []; env: { filters: Filters }; result: VolumeInspect[] };
  volume_inspect: { args: [volume: string]; env: None; result: VolumeInspect };

  // ——— containers
  create: { args: [name?: string]; env: CreateBody; result: { Id: string; Warnings: string[] } };
  start: { args: Container; env: None; result: 'started' | 'already running' };
  /** `t` in seconds, -1 for ever, null for the container's own. */
  stop: { args: Container; env: { t: number | null; signal: string }; result: 'stopped' | 'already stopped' };
  restart: { args: Container; env: { t: number | null; signal: string }; result: null };
  kill: { args: [container: string, signal?: string]; env: None; result: null };
  pause: { args: Container; env: None; result: null };
  unpause: { args: Container; env: None; result: null };
  rename: { args: [container: string, name: string]; env: None; result: null };
  /** accept: null, once the wait is registered: what happens after it cannot be missed */
  wait: { args: Container; env: { condition: 'not-running' | 'next-exit' | 'removed' }; result: WaitResult };
  delete: { args: Container; env: { force: boolean; v: boolean; link: boolean }; result: null };
  containers: {
    args: [];
    env: { all: boolean; limit: number; size: boolean; before: string; since: string; filters: Filters };
    result: ContainerSummary[];
  };
  container_inspect: { args: Container; env: { size: boolean }; result: ContainerInspect };
  top: { args: [container: string, psArgs?: string]; env: None; result: TopResult };
  /** stdout and stderr: the container's own. accept: its tty */
  logs: { args: Container; env: LogsEnv; accept: { Tty: boolean }; result: null };
  /** stdin, stdout, stderr: the container's own. accept: its tty. Result: how it ended */
  attach: { args: Container; env: AttachEnv; accept: { Tty: boolean }; result: 'ended' | 'detached' };
  resize: { args: [container: string, height: string, width: string]; env: None; result: null };
  exec_create: { args: Container; env: ExecConfig; result: { Id: string } };
  /** stdin, stdout, stderr: the process's own. accept: its tty */
  exec_start: { args: [exec: string]; env: ExecStartEnv; accept: { Tty: boolean }; result: 'ended' | 'detached' };
  exec_inspect: { args: [exec: string]; env: None; result: ExecInspect };
  exec_resize: { args: [exec: string, height: string, width: string]; env: None; result: null };
  /** The OCI spec and the kernel program that create and start would run; nothing is made. */
  explain: { args: [name?: string]; env: CreateBody; result: Explanation };
}

export interface LogsEnv {
  follow: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Unix seconds with fraction, RFC 3339 or a Go duration back from now; '' for no bound. */
  since: string;
  until: string;
  timestamps: boolean;
  /** A count, or `all`. */
  tail: string;
  details: boolean;
}

export interface AttachEnv {
  logs: boolean;
  stream: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Such as `ctrl-p,ctrl-q`; '' for the default. */
  detachKeys: string;
}

export interface ExecStartEnv {
  Detach: boolean;
  Tty: boolean;
  /** Rows and columns, or null. */
  ConsoleSize: number[] | null;
}

export interface Explanation {
  /** OCI runtime spec. */
  readonly spec: unknown;
  /** One entry an operation, in order: who asked, what, with which arguments. */
  readonly program: readonly {
    readonly owner: string;
    readonly op: string;
    readonly args: Readonly<Record<string, unknown>>;
  }[];
}
