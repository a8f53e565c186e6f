import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxImage, busyboxLayer } from '../../scripts/busybox-image.ts';
import { dockerArchive, tarOf } from '../../scripts/image-archive.ts';
import { Api } from '../stand-ins/api.ts';
import type { Container, Kind, Model } from './model.ts';
import type { Random } from './random.ts';

const V = '/v1.41';
/** Counts upwards in its log once a hundredth of a second. */
const COUNTER = ['sh', '-c', 'i=0; while :; do echo $i; i=$((i+1)); usleep 10000; done'];
const SHORT = ['sh', '-c', 'usleep 150000; exit 3'];
const RESTARTS = { RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 } };

/** Clients that do what users do, each as fast as it is answered, and put into the model what was acknowledged. */
export class Load {
  /** Answers that were errors though nobody had raced us. */
  readonly refusals: string[] = [];
  readonly #host: string;
  readonly #model: Model;
  readonly #random: Random;
  readonly #layer: Promise<Buffer> = busyboxLayer();
  #isOver = false;

  constructor(host: string, model: Model, random: Random) {
    this.#host = host;
    this.#model = model;
    this.#random = random;
  }

  /** Until `stop` or until the engine has died under every client. */
  async run(): Promise<void> {
    this.#isOver = false;
    const clients = [this.#live, this.#live, this.#live, this.#execute, this.#follow, this.#load];
    await Promise.all(clients.map((client) => this.#repeat(client)));
  }

  stop(): void {
    this.#isOver = true;
  }

  /** A connection that broke is what a kill looks like; an answer that is an error is not. */
  async #repeat(client: (api: Api) => Promise<void>): Promise<void> {
    const api = new Api(this.#host);
    while (!this.#isOver) {
      try {
        await client.call(this, api);
      } catch (error) {
        if (!/: \d{3} /.test(String(error))) break;
        this.refusals.push(String(error));
      }
      await sleep(5);
    }
    api.close();
  }

  async #live(api: Api): Promise<void> {
    const kind: Kind = this.#random.pick(['plain', 'plain', 'rm', 'again'] as const) ?? 'plain';
    const name = this.#model.name();
    const thing: Container = { kind, id: null, names: [name], statuses: ['gone'], execs: new Set(), lines: 0 };
    this.#model.containers.add(thing);
    const id = await this.#model.container(thing, { statuses: ['created'] }, () => this.#create(api, name, kind));
    thing.id = id;
    const post = (verb: string) => api.call('POST', `${V}/containers/${id}/${verb}`);
    await this.#model.container(thing, { statuses: ['running'] }, () => post('start'));
    await sleep(this.#random.next() * 100);
    if (this.#random.chance(0.3)) {
      const other = this.#model.name();
      await this.#model.container(thing, { names: [other] }, () => post(`rename?name=${other}`));
    }
    if (kind !== 'again' && this.#random.chance(0.3)) {
      await this.#model.container(thing, { statuses: ['paused'] }, () => post('pause'));
      if (this.#random.chance(0.5)) return;
      await this.#model.container(thing, { statuses: ['running'] }, () => post('unpause'));
    }
    if (this.#random.chance(0.4)) return;
    const verb = this.#random.pick(['kill', 'stop?t=0', 'restart?t=0'] as const);
    if (verb === 'restart?t=0' && kind !== 'rm') {
      await this.#restart(thing, () => post(verb));
    } else {
      const after = kind === 'rm' ? ('gone' as const) : ('exited' as const);
      // One that waits for its next start has no process to be killed: dockerd says so too.
      await this.#model.container(thing, { statuses: [after] }, () => post(verb === 'kill' ? 'kill' : 'stop?t=0'));
      thing.execs.clear();
    }
    if (this.#random.chance(0.3)) return;
    // A removal by force is an end first.
    thing.statuses = [...thing.statuses, 'exited'];
    await this.#model.container(thing, { statuses: ['gone'] }, () => this.#remove(api, thing));
  }

  /** Its log begins from 0 again, behind what was there. */
  async #restart(thing: Container, ask: () => Promise<unknown>): Promise<void> {
    thing.execs.clear();
    const { statuses } = thing;
    thing.statuses = [...statuses, 'exited'];
    await ask();
    thing.statuses = statuses;
    this.#model.acknowledge();
  }

  #create(api: Api, name: string, kind: Kind): Promise<string> {
    const body = {
      Image: 'busybox',
      Cmd: kind === 'again' ? SHORT : COUNTER,
      Volumes: { '/data': {} },
      HostConfig: { NetworkMode: 'none', AutoRemove: kind === 'rm', ...(kind === 'again' ? RESTARTS : {}) },
    };
    return api.call('POST', `${V}/containers/create?name=${name}`, body).then((made) => (made as { Id: string }).Id);
  }

  async #remove(api: Api, { id, kind }: Container): Promise<void> {
    try {
      await api.call('DELETE', `${V}/containers/${id}?force=1&v=1`);
    } catch (error) {
      // It has gone by itself, or is about to.
      if (kind !== 'rm' || !/: (404|409) /.test(String(error))) throw error;
    }
  }

  /** Some come to their end, some are left running. */
  async #execute(api: Api): Promise<void> {
    const thing = this.#random.pick(this.#model.in('running').filter(({ kind }) => kind === 'plain'));
    if (thing === null) return;
    await unlessEnded(async () => {
      if (this.#random.chance(0.5)) {
        await api.exec(thing.id ?? '', ['true']);
      } else {
        const made = await api.call('POST', `${V}/containers/${thing.id}/exec`, { Cmd: ['sleep', '1000'] });
        const { Id } = made as { Id: string };
        await api.call('POST', `${V}/exec/${Id}/start`, { Detach: true, Tty: false });
        if (thing.statuses.every((status) => status === 'running')) thing.execs.add(Id);
      }
      this.#model.acknowledge();
    });
  }

  async #follow(api: Api): Promise<void> {
    const thing = this.#random.pick(this.#model.in('running').filter(({ kind }) => kind === 'plain'));
    if (thing === null) return;
    const path = `${V}/containers/${thing.id}/logs?stdout=1&follow=1&tail=5`;
    await unlessEnded(() => api.first('GET', path, 1 + Math.floor(this.#random.next() * 300)));
    this.#model.acknowledge();
  }

  /** An image that nobody has seen before, another name for it, and often its end. */
  async #load(api: Api): Promise<void> {
    const content = String(Math.floor(this.#random.next() * 1e9));
    const tag = `${this.#model.name()}:1`;
    const layer = await tarOf([{ name: 'content', content }]);
    const archive = await dockerArchive([await busyboxImage({ tags: [tag], layers: [layer] }, await this.#layer)]);
    await this.#model.image(tag, content, true, () => api.load(archive));
    const alias = `${this.#model.name()}:2`;
    const [repo, version] = alias.split(':');
    await this.#model.image(alias, content, true, () =>
      api.call('POST', `${V}/images/${tag}/tag?repo=${repo}&tag=${version}`),
    );
    await this.#model.image(tag, content, false, () => api.call('DELETE', `${V}/images/${tag}`));
    if (this.#random.chance(0.7)) {
      await this.#model.image(alias, content, false, () => api.call('DELETE', `${V}/images/${alias}`));
    }
  }
}

/** Another client may have ended the container meanwhile. */
async function unlessEnded(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!/: (404|409) /.test(String(error))) throw error;
  }
}
