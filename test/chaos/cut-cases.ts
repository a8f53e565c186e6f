import { expect } from 'chai';
import { Api } from '../stand-ins/api.ts';
import type { TestDaemon } from '../stand-ins/daemon.ts';

const V = '/v1.41';
/** The name of an image without a name. */
const NAMELESS = '<none>:<none>';
const SLEEPER = ['sh', '-c', 'trap "exit 3" TERM; while :; do sleep 0.1; done'];

/** One thing a user does, that may be cut short at any step. */
export interface Case {
  readonly name: string;
  /** The job at whose beginning the steps are counted. */
  readonly job: string;
  /** Gives what it is done to: a container's id or name. */
  prepare(world: World): Promise<string>;
  ask(world: World, subject: string): Promise<unknown>;
  /** The daemon is there again. Fails when a promise is broken, or when the user cannot go on from here. */
  check(world: World, subject: string, isAcknowledged: boolean): Promise<void>;
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: { readonly Status: string; readonly ExitCode: number };
}

/** The daemon as the cases see it. */
export class World {
  readonly fresh: Buffer;
  readonly #daemon: TestDaemon;
  #api: Api;

  constructor(daemon: TestDaemon, fresh: Buffer) {
    this.#daemon = daemon;
    this.fresh = fresh;
    this.#api = new Api(daemon.host);
  }

  get api(): Api {
    return this.#api;
  }

  reconnect(): void {
    this.#api.close();
    this.#api = new Api(this.#daemon.host);
  }

  async cut(job: string, nth: number): Promise<number> {
    const { result } = (await this.#api.call('POST', '/jobs/cut', { args: [job, String(nth)] })) as { result: number };
    return result;
  }

  post(path: string, body?: object): Promise<unknown> {
    return this.#api.call('POST', `${V}${path}`, body);
  }

  /** With an anonymous volume. */
  create(name: string, command: readonly string[] = SLEEPER, host: object = {}): Promise<{ readonly Id: string }> {
    const body = {
      Image: 'busybox',
      Cmd: command,
      Volumes: { '/data': {} },
      HostConfig: { NetworkMode: 'none', ...host },
    };
    return this.post(`/containers/create?name=${name}`, body) as Promise<{ Id: string }>;
  }

  async running(name: string, command?: readonly string[], host: object = {}): Promise<string> {
    const { Id } = await this.create(name, command, host);
    await this.start(Id);
    return Id;
  }

  start(id: string): Promise<unknown> {
    return this.post(`/containers/${id}/start`);
  }

  async inspect(id: string): Promise<Inspected | null> {
    try {
      return (await this.#api.call('GET', `${V}/containers/${id}/json`)) as Inspected;
    } catch (error) {
      if (/: 404 /.test(String(error))) return null;
      throw error;
    }
  }

  /** Null for a container that is gone. */
  async status(id: string): Promise<string | null> {
    return (await this.inspect(id))?.State.Status ?? null;
  }

  remove(id: string): Promise<unknown> {
    return this.#api.call('DELETE', `${V}/containers/${id}?force=1&v=1`);
  }

  /** Ids by name; `NAMELESS` for those without. */
  async images(): Promise<Map<string, string>> {
    const all = (await this.#api.call('GET', `${V}/images/json`)) as { Id: string; RepoTags: string[] | null }[];
    return new Map(
      all.flatMap(({ Id, RepoTags }) => (RepoTags?.length ? RepoTags : [NAMELESS]).map((tag) => [tag, Id])),
    );
  }

  /** Containers, and images but busybox. */
  async removeAll(): Promise<void> {
    const all = (await this.#api.call('GET', `${V}/containers/json?all=1`)) as { Id: string }[];
    for (const { Id } of all) await this.remove(Id);
    for (const [tag] of await this.images()) {
      if (tag !== 'busybox:latest') await this.#api.call('DELETE', `${V}/images/${tag}`);
    }
  }

  /** It runs, and another process can be put into it. */
  async works(id: string): Promise<void> {
    expect(await this.status(id)).to.equal('running');
    await this.#api.exec(id, ['true']);
  }

  async worksOnceStarted(id: string): Promise<void> {
    await this.start(id);
    await this.works(id);
  }
}

const ON_FAILURE = { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } };
const ALWAYS = { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } };

export const CASES: readonly Case[] = [
  {
    name: 'create',
    job: 'create',
    prepare: async () => 'made',
    ask: (world, name) => world.create(name),
    check: async (world, name, isAcknowledged) => {
      if (isAcknowledged) expect(await world.status(name)).to.equal('created');
      if ((await world.status(name)) === null) await world.create(name);
      await world.worksOnceStarted(name);
    },
  },
  starting('start', {}),
  starting('start with a restart policy', ALWAYS),
  starting('start with --rm', { AutoRemove: true }),
  {
    name: 'a life that ends and begins again',
    job: 'start',
    prepare: async (world) => (await world.create('twice', ['sh', '-c', 'echo run; exit 7'], ON_FAILURE)).Id,
    ask: (world, id) => world.start(id),
    check: async (world, id, isAcknowledged) => {
      if (!isAcknowledged && (await world.status(id)) === 'created') await world.start(id);
      await world.post(`/containers/${id}/wait`);
      const { State, RestartCount } = (await world.inspect(id)) ?? expect.fail('it is gone');
      expect([State.Status, State.ExitCode, RestartCount]).to.deep.equal(['exited', 7, 1]);
      expect(String(await world.api.call('GET', `${V}/containers/${id}/logs?stdout=1`)).match(/run/g)).to.have.length(
        2,
      );
    },
  },
  {
    name: 'a life with --rm',
    job: 'start',
    prepare: async (world) => (await world.create('short', ['true'], { AutoRemove: true })).Id,
    ask: (world, id) => world.start(id),
    check: async (world, id, isAcknowledged) => {
      if (!isAcknowledged && (await world.status(id)) === 'created') await world.start(id);
      await world.post(`/containers/${id}/wait?condition=removed`).catch((error: unknown) => {
        if (!/: 404 /.test(String(error))) throw error;
      });
      expect(await world.status(id)).to.equal(null);
    },
  },
  ending('stop', (world, id) => world.post(`/containers/${id}/stop`), 3),
  ending('kill', (world, id) => world.post(`/containers/${id}/kill`), 137),
  {
    name: 'restart',
    job: 'restart',
    prepare: (world) => world.running('again'),
    ask: (world, id) => world.post(`/containers/${id}/restart`),
    check: async (world, id, isAcknowledged) => {
      if (!isAcknowledged && (await world.status(id)) !== 'running') await world.start(id);
      await world.works(id);
    },
  },
  {
    name: 'pause',
    job: 'pause',
    prepare: (world) => world.running('still'),
    ask: (world, id) => world.post(`/containers/${id}/pause`),
    check: async (world, id, isAcknowledged) => {
      if (isAcknowledged) expect(await world.status(id)).to.equal('paused');
      if ((await world.status(id)) === 'paused') await world.post(`/containers/${id}/unpause`);
      await world.works(id);
    },
  },
  {
    name: 'unpause',
    job: 'unpause',
    prepare: async (world) => {
      const id = await world.running('moved');
      await world.post(`/containers/${id}/pause`);
      return id;
    },
    ask: (world, id) => world.post(`/containers/${id}/unpause`),
    check: async (world, id, isAcknowledged) => {
      if (isAcknowledged) expect(await world.status(id)).to.equal('running');
      if ((await world.status(id)) === 'paused') await world.post(`/containers/${id}/unpause`);
      await world.works(id);
    },
  },
  {
    name: 'rename',
    job: 'rename',
    prepare: (world) => world.running('before'),
    ask: (world, id) => world.post(`/containers/${id}/rename?name=after`),
    check: async (world, id, isAcknowledged) => {
      const name = (await world.inspect(id))?.Name;
      if (isAcknowledged) expect(name).to.equal('/after');
      expect(name).to.be.oneOf(['/before', '/after']);
      await world.create(name === '/after' ? 'before' : 'after');
      await world.works(id);
    },
  },
  removing('rm -v', (world) => world.create('gone').then(({ Id }) => Id)),
  removing('rm -f -v', (world) => world.running('gone')),
  {
    name: 'exec',
    job: 'exec_start',
    prepare: (world) => world.running('entered'),
    ask: (world, id) => world.api.exec(id, ['true']),
    check: (world, id) => world.works(id),
  },
  {
    name: 'load',
    job: 'load',
    prepare: async () => '',
    ask: (world) => world.api.load(world.fresh),
    check: async (world, _, isAcknowledged) => {
      const images = await world.images();
      if (isAcknowledged) expect([...images.keys()]).to.include.members(['fresh:1', 'fresh:2']);
      expect([...images.keys()]).to.not.include(NAMELESS);
      await world.api.load(world.fresh);
      await cycleOf(world, 'fresh:1');
      await cycleOf(world, 'fresh:2');
    },
  },
  {
    name: 'load under a name that another image has',
    job: 'load',
    prepare: async (world) => {
      await world.post('/images/busybox/tag?repo=fresh&tag=1');
      return (await world.images()).get('busybox:latest') ?? '';
    },
    ask: (world) => world.api.load(world.fresh),
    check: async (world, former, isAcknowledged) => {
      const images = await world.images();
      if (isAcknowledged) expect(images.get('fresh:1')).to.not.equal(former);
      expect([...images.keys()])
        .to.include('fresh:1')
        .and.not.include(NAMELESS);
      await cycleOf(world, 'fresh:1');
    },
  },
  {
    name: 'tag',
    job: 'tag',
    prepare: async () => '',
    ask: (world) => world.post('/images/busybox/tag?repo=other&tag=1'),
    check: async (world, _, isAcknowledged) => {
      if (isAcknowledged) expect([...(await world.images()).keys()]).to.include('other:1');
      await world.post('/images/busybox/tag?repo=other&tag=1');
      await cycleOf(world, 'other:1');
    },
  },
  {
    name: 'rmi',
    job: 'image_delete',
    prepare: async (world) => {
      await world.api.load(world.fresh);
      return 'fresh:2';
    },
    ask: (world, tag) => world.api.call('DELETE', `${V}/images/${tag}`),
    check: async (world, tag, isAcknowledged) => {
      const images = await world.images();
      if (isAcknowledged) expect([...images.keys()]).to.not.include(tag);
      expect([...images.keys()]).to.not.include(NAMELESS);
      if (images.has(tag)) await cycleOf(world, tag);
      await cycleOf(world, 'fresh:1');
    },
  },
];

function starting(name: string, host: object): Case {
  return {
    name,
    job: 'start',
    prepare: async (world) => (await world.create('begun', SLEEPER, host)).Id,
    ask: (world, id) => world.start(id),
    check: async (world, id, isAcknowledged) => {
      if (!isAcknowledged && (await world.status(id)) === 'created') await world.start(id);
      await world.works(id);
      await world.post(`/containers/${id}/stop`);
    },
  };
}

function ending(name: string, ask: Case['ask'], code: number): Case {
  return {
    name,
    job: name,
    prepare: (world) => world.running('ended', SLEEPER, { RestartPolicy: { Name: 'unless-stopped' } }),
    ask,
    check: async (world, id, isAcknowledged) => {
      // The policy rests from the moment at which the signal is on its way.
      if (!isAcknowledged && (await world.status(id)) !== 'exited') await ask(world, id);
      const { State } = (await world.inspect(id)) ?? expect.fail('it is gone');
      expect([State.Status, State.ExitCode]).to.deep.equal(['exited', code]);
      await world.worksOnceStarted(id);
    },
  };
}

function removing(name: string, prepare: Case['prepare']): Case {
  return {
    name,
    job: 'delete',
    prepare,
    ask: (world, id) => world.remove(id),
    check: async (world, id, isAcknowledged) => {
      const status = await world.status(id);
      if (isAcknowledged) expect(status).to.equal(null);
      if (status === 'created' || status === 'exited') await world.start(id);
      if (status !== null) await world.works(id);
      if (status === null) await world.create('gone');
    },
  };
}

/** A container of the image runs. */
async function cycleOf(world: World, image: string): Promise<void> {
  const { Id } = (await world.post('/containers/create', {
    Image: image,
    Cmd: ['true'],
    HostConfig: { NetworkMode: 'none' },
  })) as { Id: string };
  await world.start(Id);
  expect(await world.post(`/containers/${Id}/wait`)).to.have.property('StatusCode', 0);
  await world.remove(Id);
}
