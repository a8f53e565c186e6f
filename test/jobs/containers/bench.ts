import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containerConfig, hostConfig } from '../../../api/container.ts';
import { type ContainerID, imageID, layerID, newContainerID } from '../../../api/ids.ts';
import type { JobTable } from '../../../api/jobs.ts';
import type { EngineEvent } from '../../../api/system.ts';
import type { ExecRequest, Process } from '../../../drivers/exec/driver.ts';
import { jsonFile } from '../../../drivers/log/json-file.ts';
import { local } from '../../../drivers/log/local.ts';
import { none } from '../../../drivers/log/none.ts';
import { Engine } from '../../../engine/engine.ts';
import type { Output } from '../../../engine/output.ts';
import { Attachments } from '../../../jobs/containers/attachments.ts';
import type { ContainerRecord, ContainerState } from '../../../state/container-record.ts';
import { Containers } from '../../../state/containers.ts';
import { Events } from '../../../state/events.ts';
import { Execs } from '../../../state/execs.ts';
import { NEVER } from '../../../std/timestamp.ts';

const SINCE = { pid: 4_000_000, startedAt: '2024-05-01T10:00:00Z', lastFinishedAt: NEVER };
export const RUNNING: ContainerState = { status: 'running', ...SINCE };
export const PAUSED: ContainerState = { status: 'paused', ...SINCE };
export const CREATED: ContainerState = { status: 'created', exitCode: 0, error: '' };

/** Real stores in a folder of their own, an engine to install jobs in, and processes that the test moves by hand. */
export class Bench implements AsyncDisposable {
  readonly engine = new Engine<JobTable>();
  readonly containers: Containers;
  readonly execs = new Execs();
  readonly events = new Events();
  readonly attachments = new Attachments();
  readonly logs = new Map([jsonFile, local, none].map((driver) => [driver.name as string, driver]));
  readonly running = new Map<ContainerID, Process>();
  readonly supervisor = { process: (id: ContainerID): Process | null => this.running.get(id) ?? null };
  /** Events as `action attribute=value`, without the container's own. */
  readonly seen: string[] = [];
  readonly #folder: string;

  private constructor(folder: string, containers: Containers) {
    this.#folder = folder;
    this.containers = containers;
    this.events.listen((event) => this.seen.push(brief(event)));
  }

  static async set(): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), 'g-jobs-'));
    return new Bench(folder, await Containers.open(join(folder, 'containers')));
  }

  /** A container with the name `web`, whatever its state; with a process, that is what runs. */
  async container(about: About = {}): Promise<ContainerRecord> {
    const id = newContainerID();
    const folder = await this.containers.makeFolder(id);
    const record: ContainerRecord = {
      ID: id,
      Name: 'web',
      Created: '2024-05-01T09:00:00Z',
      ImageID: imageID(`sha256:${'0'.repeat(64)}`),
      Config: containerConfig({ Image: 'busybox', ...about.config }, 'Config'),
      HostConfig: hostConfig({ LogConfig: { Type: 'json-file', Config: about.logOptions ?? {} }, ...about.host }, ''),
      Path: 'sh',
      Args: [],
      Layer: layerID('0'.repeat(32)),
      Chain: null,
      Driver: 'vfs',
      MountPoints: [],
      LogPath: join(folder, `${id}-json.log`),
      State: about.state ?? (about.process === undefined ? CREATED : RUNNING),
      RestartCount: 0,
      HasBeenManuallyStopped: false,
    };
    this.containers.reserveName(record.Name, id);
    await this.containers.add(record);
    if (about.process !== undefined) this.running.set(id, about.process);
    return record;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

interface About {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly host?: Readonly<Record<string, unknown>>;
  readonly logOptions?: Readonly<Record<string, string>>;
  readonly state?: ContainerState;
  readonly process?: Process;
}

/** What a job writes, as text, for as long as it runs. */
export class Captured {
  #text = '';

  constructor(output: Output) {
    output.add({
      write: (chunk) => {
        this.#text += chunk.toString();
        return true;
      },
      drained: async () => {},
      end: () => {},
    });
  }

  get text(): string {
    return this.#text;
  }

  /** Resolves once it holds `wanted`. */
  async holds(wanted: string): Promise<void> {
    while (!this.#text.includes(wanted)) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves once `condition` holds; a test that waits in vain ends by mocha's timeout. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** An exec driver that starts what the test gives it. */
export class Starter {
  readonly requests: ExecRequest[] = [];
  readonly #start: (request: ExecRequest) => Process;

  constructor(start: (request: ExecRequest) => Process) {
    this.#start = start;
  }

  async exec(request: ExecRequest): Promise<Process> {
    this.requests.push(request);
    return this.#start(request);
  }
}

function brief({ Action, Actor }: EngineEvent): string {
  const own = Object.entries(Actor.Attributes).filter(([name]) => name !== 'image' && name !== 'name');
  return [Action, ...own.map(([name, value]) => `${name}=${value.length === 64 ? '<id>' : value}`)].join(' ');
}
