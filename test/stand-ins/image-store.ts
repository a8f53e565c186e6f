import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { containerConfig, hostConfig } from '../../api/container.ts';
import { newContainerID, topChain } from '../../api/ids.ts';
import type { Image } from '../../api/image.ts';
import type { JobTable } from '../../api/jobs.ts';
import type { EngineEvent } from '../../api/system.ts';
import { Tail } from '../../engine/destination.ts';
import { Engine } from '../../engine/engine.ts';
import { history } from '../../jobs/images/history.ts';
import { imageDelete } from '../../jobs/images/image-delete.ts';
import { imageInspect } from '../../jobs/images/image-inspect.ts';
import { images as imagesJob } from '../../jobs/images/images.ts';
import { importImage } from '../../jobs/images/import.ts';
import { load } from '../../jobs/images/load.ts';
import { tag } from '../../jobs/images/tag.ts';
import { installJobs } from '../../jobs/install.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import { Containers } from '../../state/containers.ts';
import { Events } from '../../state/events.ts';
import { Images } from '../../state/images.ts';
import { Layers } from '../../state/layers.ts';
import { References } from '../../state/references.ts';
import { now, toRFC3339 } from '../../std/timestamp.ts';
import { TarGraph } from './tar-graph.ts';

/** All the state that images need and the engine with their jobs, on a folder of its own; no root, nothing mounted. */
export class ImageStore implements AsyncDisposable {
  readonly root: string;
  readonly graph: TarGraph;
  readonly containers: Containers;
  readonly images: Images;
  readonly references: References;
  readonly layers: Layers;
  readonly events = new Events();
  readonly engine = new Engine<JobTable>();

  private constructor(
    root: string,
    graph: TarGraph,
    stores: { containers: Containers; images: Images; references: References; layers: Layers },
  ) {
    this.root = root;
    this.graph = graph;
    this.containers = stores.containers;
    this.images = stores.images;
    this.references = stores.references;
    this.layers = stores.layers;
    const deps = { ...stores, events: this.events, host: { dataRoot: root, architecture: 'x86_64' } };
    installJobs(this.engine, {
      images: imagesJob(deps),
      image_inspect: imageInspect(deps),
      history: history(deps),
      tag: tag(deps),
      image_delete: imageDelete(deps),
      load: load(deps),
      import: importImage(deps),
    });
  }

  /** On a new folder, or as after a restart on the one of another. */
  static async open(former?: ImageStore): Promise<ImageStore> {
    const root = former?.root ?? (await mkdtemp('/tmp/g-'));
    await mkdir(join(root, 'graph'), { recursive: true });
    const graph = new TarGraph(join(root, 'graph'));
    const [containers, images, references, layers] = await Promise.all([
      Containers.open(join(root, 'containers')),
      Images.open(join(root, 'image')),
      References.open(join(root, 'image/repositories.json')),
      Layers.open(join(root, 'image/layers'), graph),
    ]);
    const tops = images.list().flatMap((image) => {
      const top = topChain(image.diffIDs);
      return top === null ? [] : [{ image: image.id, top }];
    });
    await layers.sweep(
      tops,
      containers.list().map(({ Layer, Chain }) => ({ layer: Layer, top: Chain })),
      containers.damaged.length + images.damaged.length === 0,
    );
    return new ImageStore(root, graph, { containers, images, references, layers });
  }

  /** Runs `load` on these bytes. Gives its lines. */
  async load(archive: Buffer | Readable, quiet = true): Promise<string[]> {
    const stdin = Buffer.isBuffer(archive) ? Readable.from(inPieces(archive)) : archive;
    const job = this.engine.job('load', [], { quiet }, { stdin });
    return this.#lines(job);
  }

  async import(
    tar: Buffer,
    args: JobTable['import']['args'],
    env: Partial<JobTable['import']['env']> = {},
  ): Promise<string[]> {
    const whole = { message: '', changes: [], platform: '', ...env };
    return this.#lines(this.engine.job('import', args, whole, { stdin: Readable.from(inPieces(tar)) }));
  }

  /** A container of an image, as far as the image jobs look at it. */
  async addContainer(image: Image, status: 'exited' | 'running'): Promise<ContainerRecord> {
    const id = newContainerID();
    const top = topChain(image.diffIDs);
    await this.containers.makeFolder(id);
    const at = toRFC3339(now());
    const record: ContainerRecord = {
      ID: id,
      Name: this.containers.reserveRandomName(id),
      Created: at,
      ImageID: image.id,
      Config: containerConfig({}, 'Config'),
      HostConfig: hostConfig({}, 'HostConfig'),
      Path: 'sh',
      Args: [],
      Layer: await this.layers.addReadWrite(top),
      Chain: top,
      Driver: this.layers.driverName,
      MountPoints: [],
      LogPath: '',
      State:
        status === 'running'
          ? { status, pid: 1, startedAt: at, lastFinishedAt: at }
          : { status, exitCode: 0, oomKilled: false, startedAt: at, finishedAt: at, error: '' },
      RestartCount: 0,
      HasBeenManuallyStopped: false,
    };
    await this.containers.add(record);
    return record;
  }

  /** What there is on disk: image configs, layers of the graph driver, layer records, uploads. */
  async census(): Promise<{ configs: number; trees: number; records: number; uploads: number }> {
    const count = async (path: string) => (await readdir(join(this.root, path)).catch(() => [])).length;
    return {
      configs: await count('image/configs'),
      trees: await count('graph'),
      records: await count(`image/layers/${this.graph.name}`),
      uploads: await count('tmp'),
    };
  }

  told(): string[] {
    return this.events
      .past()
      .map((event: EngineEvent) => `${event.Type} ${event.Action} ${event.Actor.Attributes['name']}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  async #lines(job: { stdout: { add(tail: Tail): unknown }; run(): Promise<unknown> }): Promise<string[]> {
    const tail = new Tail(1024 ** 2);
    job.stdout.add(tail);
    await job.run();
    return tail.bytes
      .toString()
      .split('\r\n')
      .filter((line) => line !== '');
  }
}

/** As a connection brings them: not at the borders of what is in them. */
export function* inPieces(bytes: Buffer, size = 65_001): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
