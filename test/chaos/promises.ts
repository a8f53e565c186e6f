import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Api } from '../stand-ins/api.ts';
import type { Container, Model, Status } from './model.ts';
import type { Random } from './random.ts';

const V = '/v1.41';
const PATIENCE_MS = 15_000;
/** Beyond this many the engine is given room again. */
const MANY = 12;

interface Listed {
  readonly Id: string;
  readonly Names: readonly [string];
  readonly State: string;
}

/** Holds a daemon that has come back against what was acknowledged, and settles in the model what was left open. */
export class Promises {
  readonly #api: Api;
  readonly #model: Model;
  readonly #random: Random;

  constructor(api: Api, model: Model, random: Random) {
    this.#api = api;
    this.#model = model;
    this.#random = random;
  }

  async hold(): Promise<void> {
    try {
      await this.#images();
      const listed = new Map((await this.#list()).map((each) => [each.Names[0].slice(1), each]));
      const known = new Set([...this.#model.containers].flatMap(({ names }) => names));
      expect(
        [...listed.keys()].filter((name) => !known.has(name)),
        'containers nobody asked for',
      ).to.deep.equal([]);
      for (const thing of [...this.#model.containers]) await this.#container(thing, listed);
      await this.#everythingAnswers();
      await this.#makeRoom();
    } finally {
      this.#api.close();
    }
  }

  async #images(): Promise<void> {
    const images = (await this.#api.call('GET', `${V}/images/json`)) as { RepoTags: string[] }[];
    const tags = images.flatMap(({ RepoTags }) => RepoTags);
    const known = ['busybox:latest', ...this.#model.images.keys()];
    expect(
      tags.filter((tag) => !known.includes(tag)),
      'images nobody asked for',
    ).to.deep.equal([]);
    for (const [tag, { content, isThere }] of this.#model.images) {
      if (isThere !== null) expect(tags.includes(tag), `image ${tag} is there`).to.equal(isThere);
      if (!tags.includes(tag)) this.#model.images.delete(tag);
      else if (isThere === null || this.#random.chance(0.2)) await this.#runs(tag, content);
    }
  }

  /** The image is whole: a container of it reads the file that only it has. */
  async #runs(tag: string, content: string): Promise<void> {
    const id = await this.#api.create(tag, ['cat', '/content']);
    await this.#api.start(id);
    await this.#api.call('POST', `${V}/containers/${id}/wait`);
    expect(await this.#log(id), tag).to.deep.equal([content]);
    await this.#api.remove(id);
    await this.#api.call('DELETE', `${V}/images/${tag}`);
    this.#model.images.delete(tag);
  }

  async #container(thing: Container, listed: ReadonlyMap<string, Listed>): Promise<void> {
    const name = thing.names.find((each) => listed.has(each));
    const found = name === undefined ? null : (listed.get(name) ?? null);
    const what = `${thing.kind} ${thing.id ?? '(not told)'} ${thing.names.join(' or ')}`;
    if (found !== null && thing.id !== null) expect(found.Id, what).to.equal(thing.id);
    const isOpen = thing.statuses.length > 1;
    const status = await this.#settled(thing, found);
    expect(thing.statuses, `${what} is ${status}`).to.include(status);
    if (found === null || name === undefined || status === 'gone') return void this.#model.containers.delete(thing);
    thing.id = found.Id;
    thing.names = [name];
    thing.statuses = [status];
    if (status !== 'running') thing.execs.clear();
    // Whether its policy rests nobody can know of one that somebody was about to stop.
    if (thing.kind === 'again' && isOpen) return this.#remove(thing);
    if (thing.kind !== 'again') await this.#counts(thing, found.Id, what);
    for (const exec of thing.execs) await this.#runsOn(exec, what);
  }

  /** What is on its way is waited for: the removal of one with --rm, the next start of one that begins again. */
  async #settled({ kind, statuses }: Container, found: Listed | null): Promise<Status> {
    if (found === null) return 'gone';
    for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(20)) {
      const status = await this.#status(found.Id);
      const isOnItsWay = status === 'restarting' || status === 'removing' || (kind === 'rm' && status === 'exited');
      if (!isOnItsWay) return status;
      if (kind === 'again' && statuses.includes('running')) return 'running';
      if (Date.now() > deadline) return expect.fail(`${found.Id} stays ${status}`);
    }
  }

  async #status(id: string): Promise<Status | 'restarting' | 'removing'> {
    try {
      const { State } = (await this.#api.call('GET', `${V}/containers/${id}/json`)) as { State: { Status: Status } };
      return State.Status;
    } catch (error) {
      if (/: 404 /.test(String(error))) return 'gone';
      throw error;
    }
  }

  /** From 0 upwards without a gap, also while no daemon was there; a restart begins again. Nothing seen is lost. */
  async #counts(thing: Container, id: string, what: string): Promise<void> {
    const lines = await this.#log(id);
    let expected = 0;
    for (const [index, line] of lines.entries()) {
      if (line === '0') expected = 0;
      expect(line, `line ${index} of ${what}`).to.equal(String(expected));
      expected++;
    }
    expect(lines.length, `lines of ${what}`).to.be.at.least(thing.lines);
    thing.lines = lines.length;
  }

  async #log(id: string): Promise<string[]> {
    const frames = await this.#api.bytes('GET', `${V}/containers/${id}/logs?stdout=1&stderr=1`);
    const parts: Buffer[] = [];
    for (let at = 0; at + 8 <= frames.length; ) {
      const size = frames.readUInt32BE(at + 4);
      parts.push(frames.subarray(at + 8, at + 8 + size));
      at += 8 + size;
    }
    return Buffer.concat(parts)
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  }

  async #runsOn(exec: string, what: string): Promise<void> {
    const { Running } = (await this.#api.call('GET', `${V}/exec/${exec}/json`)) as { Running: boolean };
    expect(Running, `exec ${exec} of ${what} runs`).to.equal(true);
  }

  /** One that runs can be entered, looked at and attached to; its log goes on. */
  async #everythingAnswers(): Promise<void> {
    const thing = this.#random.pick(this.#model.in('running').filter(({ kind }) => kind !== 'again'));
    if (thing === null) return;
    const { id } = thing;
    await this.#api.exec(id ?? '', ['true']);
    expect((await this.#api.first('POST', `${V}/containers/${id}/attach?stream=1&stdout=1`, 1)).length).to.be.above(0);
    expect((await this.#api.first('GET', `${V}/containers/${id}/logs?follow=1&stdout=1&tail=0`, 1)).length).to.be.above(
      0,
    );
    await this.#api.call('GET', `${V}/containers/${id}/top`);
  }

  async #makeRoom(): Promise<void> {
    for (const thing of [...this.#model.containers]) {
      const isMany = this.#model.containers.size > MANY;
      if (!isMany && this.#random.chance(0.7)) continue;
      await this.#remove(thing);
    }
  }

  async #remove(thing: Container): Promise<void> {
    await this.#api.call('DELETE', `${V}/containers/${thing.id}?force=1&v=1`);
    this.#model.containers.delete(thing);
  }

  #list(): Promise<Listed[]> {
    return this.#api.call('GET', `${V}/containers/json?all=1`) as Promise<Listed[]>;
  }
}
