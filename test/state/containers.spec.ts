import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { containerConfig, hostConfig } from '../../api/container.ts';
import { type ContainerID, containerID, imageID, newContainerID, newLayerID, sha256 } from '../../api/ids.ts';
import type { ContainerRecord, ContainerState } from '../../state/container-record.ts';
import { Containers } from '../../state/containers.ts';

const CREATED: ContainerState = { status: 'created', exitCode: 0, error: '' };

function recordOf(id: ContainerID, name: string, created = '2024-01-01T00:00:00Z'): ContainerRecord {
  return {
    ID: id,
    Name: name,
    Created: created,
    ImageID: imageID(sha256('image')),
    Config: containerConfig({ Cmd: ['sh'], Env: ['A=1'], Labels: { a: 'b' } }, 'Config'),
    HostConfig: hostConfig({ Memory: 1024, Binds: ['/a:/b'] }, 'HostConfig'),
    Path: 'sh',
    Args: [],
    Layer: newLayerID(),
    Chain: null,
    Driver: 'vfs',
    MountPoints: [],
    LogPath: '/x',
    State: CREATED,
    RestartCount: 0,
    HasBeenManuallyStopped: false,
  };
}

describe('Containers', () => {
  let folder: string;
  let containers: Containers;

  beforeEach(async () => {
    folder = await mkdtemp('/tmp/g-');
    containers = await Containers.open(folder);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function add(name: string, id = newContainerID(), created?: string): Promise<ContainerRecord> {
    const record = recordOf(id, name, created);
    containers.reserveName(name, id);
    await containers.makeFolder(id);
    await containers.add(record);
    return record;
  }

  describe('names', () => {
    for (const name of ['web', 'a1', 'A_b.c-d', '/web', '9lives']) {
      it(`${name} is one`, () => containers.reserveName(name, newContainerID()));
    }
    for (const name of ['', 'a', '/', '-a', '.a', 'a b', 'a/b', '//a', 'ä1', 'a\n', '../a', 'ab\u0000']) {
      it(`${JSON.stringify(name)} is none`, () => {
        expect(() => containers.reserveName(name, newContainerID())).to.throw(
          `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
        );
      });
    }

    it('is held by one container, from its reservation on', async () => {
      const holder = newContainerID();
      containers.reserveName('web', holder);
      containers.reserveName('/web', holder);
      expect(() => containers.reserveName('/web', newContainerID())).to.throw(
        `Conflict. The container name "/web" is already in use by container "${holder}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      );
      containers.releaseName('web', holder);
      await add('web');
    });

    it('is not lost by giving back what the record has', async () => {
      const { ID } = await add('web');
      containers.releaseName('web', ID);
      expect(containers.get('web').ID).to.equal(ID);
    });

    it('goes with a rename, and the former one is free', async () => {
      const record = await add('old');
      containers.reserveName('new', record.ID);
      await containers.save({ ...record, Name: 'new' });
      expect(containers.find('old')).to.equal(null);
      expect(containers.get('/new').ID).to.equal(record.ID);
      await add('old');
    });

    it('is random where none is given, and never twice the same', () => {
      const names = Array.from({ length: 2000 }, () => containers.reserveRandomName(newContainerID()));
      expect(new Set(names).size).to.equal(2000);
      expect(names[0]).to.match(/^[a-z]+_[a-z]+$/);
    });
  });

  describe('get', () => {
    const a = containerID(`abc1${'0'.repeat(60)}`);
    const b = containerID(`abc2${'0'.repeat(60)}`);

    beforeEach(async () => {
      await add('one', a);
      await add('abc2', newContainerID());
      await add('two', b);
    });

    it('finds by id, name and unique prefix, the name before the prefix', () => {
      for (const reference of [a, 'one', '/one', 'abc1']) expect(containers.get(reference).ID, reference).to.equal(a);
      expect(containers.get('abc2').Name).to.equal('abc2');
      expect(containers.get(b.slice(0, 10)).ID).to.equal(b);
    });

    it('says what there is not, and what there is twice', () => {
      expect(() => containers.get('nope')).to.throw('No such container: nope');
      expect(() => containers.get('abc')).to.throw('multiple IDs found with provided prefix: abc');
      expect(() => containers.get('')).to.throw('invalid name or ID supplied: ""');
      expect(containers.find('abc')).to.equal(null);
    });
  });

  it('lists the newest first, to the nanosecond', async () => {
    const times = [
      '2024-01-01T00:00:00.12Z',
      '2024-01-01T00:00:00.123Z',
      '2024-01-01T00:00:00Z',
      '2024-01-01T00:00:01Z',
    ];
    for (const [index, time] of times.entries()) await add(`c${index}`, newContainerID(), time);
    expect(containers.list().map(({ Name }) => Name)).to.deep.equal(['c3', 'c1', 'c0', 'c2']);
  });

  it('knows who was made from an image, and who mounts a volume, newest first', async () => {
    const mount = { Type: 'volume', Source: '/v', Destination: '/d', Driver: 'local', Mode: '', RW: true } as const;
    const made = async (name: string, created: string, ...volumes: string[]) => {
      const MountPoints = volumes.map((Name) => ({ ...mount, Name, Propagation: '' }));
      const record = { ...recordOf(newContainerID(), name, created), MountPoints };
      await containers.makeFolder(record.ID);
      await containers.add(record);
      return record.ID;
    };
    const image = imageID(sha256('image'));
    const first = await made('first', '2024-01-01T00:00:00Z', 'shared', 'own');
    await made('second', '2024-01-02T00:00:00Z', 'shared');
    const users = (of: Containers) => ({
      image: of.ofImage(image).map(({ Name }) => Name),
      shared: of.ofVolume('shared').map(({ Name }) => Name),
      own: of.ofVolume('own').map(({ Name }) => Name),
    });
    const all = { image: ['second', 'first'], shared: ['second', 'first'], own: ['first'] };
    expect(users(containers)).to.deep.equal(all);
    expect(users(await Containers.open(folder))).to.deep.equal(all);
    expect(containers.ofImage(imageID(sha256('other')))).to.deep.equal([]);
    await containers.remove(first);
    expect(users(containers)).to.deep.equal({ image: ['second'], shared: ['second'], own: [] });
  });

  it('tells watchers of every change, in order', async () => {
    const record = await add('web');
    const seen: (string | null)[] = [];
    const stop = containers.watch(record.ID, (now) => seen.push(now?.State.status ?? null));
    const running: ContainerState = { status: 'running', pid: 1, startedAt: '', lastFinishedAt: '' };
    await Promise.all([
      containers.save({ ...record, State: running }),
      containers.save({ ...record, State: { ...running, status: 'paused' } }, 'written'),
      containers.save({ ...record, State: { status: 'removing', before: CREATED, volumes: false } }, 'memory'),
    ]);
    await containers.remove(record.ID);
    stop();
    expect(seen).to.deep.equal(['running', 'paused', 'removing', null]);
  });

  it('saves no record of a container that is gone', async () => {
    const record = await add('web');
    await containers.remove(record.ID);
    const error = await containers.save(record).catch((reason: unknown) => reason);
    expect(String(error)).to.contain('No such container');
    // Its folder goes behind the answer.
    while ((await readdir(folder)).length > 0) await sleep(5);
  });

  describe('after a restart', () => {
    const ended = { exitCode: 1, oomKilled: true, startedAt: 'a', finishedAt: 'b', error: 'c' };
    const states: readonly ContainerState[] = [
      { status: 'created', exitCode: 127, error: 'x' },
      { status: 'running', pid: 7, startedAt: 'a', lastFinishedAt: 'b' },
      { status: 'paused', pid: 7, startedAt: 'a', lastFinishedAt: 'b' },
      { status: 'restarting', ...ended },
      { status: 'exited', ...ended },
      {
        status: 'removing',
        before: { status: 'running', pid: 7, startedAt: 'a', lastFinishedAt: 'b' },
        volumes: false,
      },
      {
        status: 'dead',
        before: { status: 'removing', before: { status: 'exited', ...ended }, volumes: false },
        error: 'x',
      },
    ];
    for (const state of states) {
      it(`has the record of one that is ${state.status} as it was`, async () => {
        const record = { ...(await add('web')), State: state };
        await containers.save(record);
        const again = await Containers.open(folder);
        expect(again.get('web')).to.deep.equal(record);
        expect(() => again.reserveName('web', newContainerID())).to.throw('already in use');
      });
    }

    it('has none of a create or a removal that a crash cut off, nor of their files', async () => {
      const id = newContainerID();
      await mkdir(join(folder, id));
      await writeFile(join(folder, id, 'config.json.12345678.tmp'), '{');
      await writeFile(join(folder, id, 'hosts'), '');
      const kept = await add('web');
      await writeFile(join(folder, kept.ID, 'config.json.12345678.tmp'), '{');
      const again = await Containers.open(folder);
      expect(again.list()).to.have.length(1);
      expect(await readdir(folder)).to.deep.equal([kept.ID]);
      expect(await readdir(join(folder, kept.ID))).to.deep.equal(['config.json']);
    });

    const damages: readonly (readonly [what: string, json: (good: string) => string])[] = [
      ['is cut off', (good) => good.slice(0, 100)],
      ['is empty', () => ''],
      ['is of another container', (good) => good.replace(/"ID":"[0-9a-f]{64}"/, `"ID":"${'f'.repeat(64)}"`)],
      ['has a state that is none', (good) => good.replace('"created"', '"flying"')],
      ['has a layer that is a path', (good) => good.replace(/"Layer":"[0-9a-f]+"/, '"Layer":"../../x"')],
      [
        'has states without end',
        (good) =>
          good.replace(
            /"State":\{[^}]*\}/,
            `"State":${'{"status":"removing","before":'.repeat(999)}null${'}'.repeat(999)}`,
          ),
      ],
    ];
    for (const [what, damage] of damages) {
      it(`leaves out a record that ${what}, touches nothing of it, and says so`, async () => {
        const { ID } = await add('web');
        await add('fine');
        const path = join(folder, ID, 'config.json');
        const bad = damage(await readFile(path, 'utf8'));
        await writeFile(path, bad);
        const again = await Containers.open(folder);
        expect(again.list().map(({ Name }) => Name)).to.deep.equal(['fine']);
        expect(again.damaged).to.deep.equal([path]);
        expect(await readFile(path, 'utf8')).to.equal(bad);
      });
    }
  });
});
