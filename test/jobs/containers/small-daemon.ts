import { mkdir, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CreateBody, createBody } from '../../../api/container.ts';
import { imageID } from '../../../api/ids.ts';
import type { JobTable } from '../../../api/jobs.ts';
import { parseReference, withDefaultTag } from '../../../api/reference.ts';
import type { EngineEvent } from '../../../api/system.ts';
import { jsonFile } from '../../../drivers/log/json-file.ts';
import { none } from '../../../drivers/log/none.ts';
import type { NetworkDriver } from '../../../drivers/network/driver.ts';
import { HostNetwork, NoneNetwork } from '../../../drivers/network/host.ts';
import { Engine } from '../../../engine/engine.ts';
import { Attachments } from '../../../jobs/containers/attachments.ts';
import { create } from '../../../jobs/containers/create.ts';
import { remove } from '../../../jobs/containers/delete.ts';
import { explain } from '../../../jobs/containers/explain.ts';
import { containerInspect } from '../../../jobs/containers/inspect.ts';
import { kill } from '../../../jobs/containers/kill.ts';
import { containers as list } from '../../../jobs/containers/list.ts';
import { pause, unpause } from '../../../jobs/containers/pause.ts';
import { rename } from '../../../jobs/containers/rename.ts';
import { restart } from '../../../jobs/containers/restart.ts';
import { start } from '../../../jobs/containers/start.ts';
import { stop } from '../../../jobs/containers/stop.ts';
import { Supervisor } from '../../../jobs/containers/supervise.ts';
import { wait } from '../../../jobs/containers/wait.ts';
import type { Daemon } from '../../../jobs/daemon.ts';
import type { Host } from '../../../jobs/host.ts';
import { installJobs } from '../../../jobs/install.ts';
import { networkInspect } from '../../../jobs/networks.ts';
import { Containers } from '../../../state/containers.ts';
import { DepartedContainers } from '../../../state/departed.ts';
import { Events } from '../../../state/events.ts';
import { Execs } from '../../../state/execs.ts';
import { Images } from '../../../state/images.ts';
import { Layers } from '../../../state/layers.ts';
import { References } from '../../../state/references.ts';
import { Volumes } from '../../../state/volumes.ts';
import { HostExec, HostMachine } from '../../stand-ins/exec-driver.ts';
import { FolderGraph } from '../../stand-ins/graph-driver.ts';

/** Any part of what a client may send. */
export type Wishes = Readonly<Record<string, unknown>> & { readonly HostConfig?: Readonly<Record<string, unknown>> };

/** Real stores in a temporary folder, an engine with the jobs of containers, processes of the host as containers. */
export class SmallDaemon implements Daemon {
  readonly root: string;
  readonly machine: HostMachine;
  readonly containers: Containers;
  readonly execs = new Execs();
  readonly images: Images;
  readonly references: References;
  readonly layers: Layers;
  readonly volumes: Volumes;
  readonly events = new Events();
  readonly exec: HostExec;
  readonly networks = new Map<string, NetworkDriver>([
    ['none', new NoneNetwork()],
    ['host', new HostNetwork()],
  ]);
  readonly logs = new Map([
    ['json-file', jsonFile],
    ['none', none],
  ]);
  readonly attachments = new Attachments();
  readonly departed = new DepartedContainers(() => 0);
  readonly supervisor: Supervisor;
  readonly host: Host;
  readonly engine = new Engine<JobTable>();
  /** What happened, in order: `die`, `destroy`, … */
  readonly told: EngineEvent[] = [];

  private constructor(root: string, machine: HostMachine, stores: Stores) {
    this.root = root;
    this.machine = machine;
    this.containers = stores.containers;
    this.images = stores.images;
    this.references = stores.references;
    this.layers = stores.layers;
    this.volumes = stores.volumes;
    this.exec = new HostExec(machine);
    this.host = hostIn(root);
    this.supervisor = new Supervisor(this);
    this.events.listen((event) => this.told.push(event));
    installJobs(this.engine, {
      create: create(this),
      start: start(this),
      stop: stop(this),
      restart: restart(this),
      kill: kill(this),
      pause: pause(this),
      unpause: unpause(this),
      rename: rename(this),
      wait: wait(this),
      delete: remove(this),
      containers: list(this),
      container_inspect: containerInspect(this),
      network_inspect: networkInspect(this),
      explain: explain(this),
    });
  }

  static async make(): Promise<SmallDaemon> {
    const root = await mkdtemp(join(tmpdir(), 'g-'));
    await mkdir(join(root, 'folders'));
    return SmallDaemon.#open(root, new HostMachine());
  }

  static async #open(root: string, machine: HostMachine): Promise<SmallDaemon> {
    const removeTree = (parent: string, name: string) => rm(join(parent, name), { recursive: true, force: true });
    return new SmallDaemon(root, machine, {
      containers: await Containers.open(join(root, 'containers')),
      images: await Images.open(join(root, 'image')),
      references: await References.open(join(root, 'image', 'repositories.json')),
      layers: await Layers.open(join(root, 'image', 'layers'), new FolderGraph(join(root, 'folders'))),
      volumes: await Volumes.open(join(root, 'volumes'), removeTree),
    });
  }

  /** This daemon ends in order, and another one begins on the same folders and the same machine. */
  async restarted(): Promise<SmallDaemon> {
    await this.supervisor.stop();
    return this.killed();
  }

  /** This daemon is killed, `meanwhile` something happens, and another one begins. */
  async killed(meanwhile: () => unknown = () => {}): Promise<SmallDaemon> {
    this.exec.die();
    await meanwhile();
    const next = await SmallDaemon.#open(this.root, this.machine);
    await next.supervisor.restore(await next.exec.adopt());
    return next;
  }

  /** An image without layers: a container's program is one of the host's. */
  async image(name: string, config: Readonly<Record<string, unknown>> = { Cmd: ['true'] }): Promise<string> {
    const bytes = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [] },
    });
    const { id } = await this.images.add(Buffer.from(bytes));
    await this.references.set(withDefaultTag(parseReference(name)), imageID(id));
    return id;
  }

  body(wishes: Wishes): CreateBody {
    return createBody({ Image: 'busybox', ...wishes }, 'body');
  }

  create(name: string, wishes: Wishes = {}): Promise<{ Id: string; Warnings: string[] }> {
    const HostConfig = { NetworkMode: 'none', ...wishes.HostConfig };
    return this.engine.run('create', [name], this.body({ ...wishes, HostConfig }));
  }

  start(name: string): Promise<'started' | 'already running'> {
    return this.engine.run('start', [name], {});
  }

  wait(name: string, condition: 'not-running' | 'next-exit' | 'removed' = 'not-running') {
    return this.engine.run('wait', [name], { condition });
  }

  stop(name: string, t: number | null = null) {
    return this.engine.run('stop', [name], { t, signal: '' });
  }

  remove(name: string, options: { force?: boolean; v?: boolean } = {}): Promise<null> {
    return this.engine.run('delete', [name], { force: false, v: false, link: false, ...options });
  }

  layersOnDisk(): Promise<string[]> {
    return readdir(join(this.root, 'folders'));
  }

  status(name: string): string {
    return this.containers.get(name).State.status;
  }

  /** Its record cannot be taken away: there is a folder in its place. Gives how to mend that. */
  async wedge(name: string): Promise<() => Promise<void>> {
    const record = join(this.containers.folder(this.containers.get(name).ID), 'config.json');
    await rm(record);
    await mkdir(record);
    return () => rmdir(record);
  }

  /** Actions of one container's events so far. */
  actions(name: string): string[] {
    return this.told.filter((event) => event.Actor.Attributes['name'] === name).map((event) => event.Action);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.stop();
    await this.machine[Symbol.asyncDispose]();
    for (const { ID } of this.containers.list()) await this.supervisor.settled(ID);
    await this.supervisor.stop();
    await rm(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }
}

type Stores = Pick<SmallDaemon, 'containers' | 'images' | 'references' | 'layers' | 'volumes'>;

/** What was thrown; fails when nothing was. */
export async function failure(running: Promise<unknown>): Promise<Error> {
  const outcome = await running.then(
    () => null,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error('it did not fail');
}

export function hostIn(root: string): Host {
  return {
    dataRoot: root,
    execRoot: join(root, 'run'),
    cgroup: 'hybrid',
    cgroupParent: '/gantry',
    kernelVersion: '6.1.0',
    operatingSystem: 'Linux',
    architecture: 'x86_64',
    cpus: 2,
    memoryNodes: '0',
    memory: 4 * 1024 ** 3,
    defaultLogDriver: 'json-file',
    defaultLogOptions: {},
    defaultShmSize: 64 * 1024 ** 2,
    defaultUlimits: [],
    defaultRuntime: 'runc',
    init: false,
    noNewPrivileges: false,
    labels: [],
    debug: false,
    id: 'test',
    hostname: 'machine',
  };
}
