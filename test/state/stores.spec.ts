import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { execConfig } from '../../api/container.ts';
import { InvalidParameter } from '../../api/errors.ts';
import { type ContainerID, imageID, newContainerID, newExecID, sha256 } from '../../api/ids.ts';
import { familiar, parseReference } from '../../api/reference.ts';
import type { Process } from '../../drivers/exec/driver.ts';
import { Events } from '../../state/events.ts';
import type { ExecRecord } from '../../state/execs.ts';
import { Execs } from '../../state/execs.ts';
import { findImage } from '../../state/find-image.ts';
import { Images, MAX_CONFIG_BYTES } from '../../state/images.ts';
import { References } from '../../state/references.ts';
import { Volumes } from '../../state/volumes.ts';
import { rejection } from '../stand-ins/rejection.ts';

const SHA = `sha256:${'a'.repeat(64)}`;
const said = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it worked',
    (error: unknown) => String(error),
  );

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp('/tmp/g-');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('References', () => {
  const one = imageID(sha256('one'));
  const two = imageID(sha256('two'));
  const file = () => join(folder, 'repositories.json');
  const set = (references: References, text: string, image = one) => references.set(parseReference(text), image);

  it('are found by every way to write them, also after a restart', async () => {
    await set(await References.open(file()), 'busybox');
    const references = await References.open(file());
    for (const text of ['busybox', 'busybox:latest', 'docker.io/busybox', 'docker.io/library/busybox:latest']) {
      expect(references.resolve(parseReference(text)), text).to.equal(one);
    }
    expect(references.resolve(parseReference('busybox:1'))).to.equal(null);
  });

  it('with a digest mean the digest, whatever the tag', async () => {
    const references = await References.open(file());
    await set(references, `busybox:1@${SHA}`);
    expect(references.resolve(parseReference(`busybox:2@${SHA}`))).to.equal(one);
    expect(references.of(one).map(familiar)).to.deep.equal([`busybox@${SHA}`]);
  });

  it('go from one image to another, and away', async () => {
    const references = await References.open(file());
    await set(references, 'b:1');
    await set(references, 'a:1');
    await set(references, 'b:1', two);
    expect([references.of(one), references.of(two)].map((each) => each.map(familiar))).to.deep.equal([
      ['a:1'],
      ['b:1'],
    ]);
    await references.remove(parseReference('a:1'));
    await references.remove(parseReference('a:1'));
    expect(references.list().map(({ image }) => image)).to.deep.equal([two]);
    expect(references.of(one)).to.deep.equal([]);
  });

  it('are all on disk when many are set at once', async () => {
    const references = await References.open(file());
    await Promise.all(Array.from({ length: 200 }, (_, index) => set(references, `image:${index}`)));
    expect((await References.open(file())).list()).to.have.length(200);
    expect(await readdir(folder)).to.deep.equal(['repositories.json']);
  });

  it('are as they were before where the disk refuses', async () => {
    const references = await References.open(join(folder, 'gone', 'repositories.json'));
    expect(await said(set(references, 'a:1'))).to.match(/ENOENT/);
    expect(references.list()).to.deep.equal([]);
  });

  it('that are damaged are left out, and a file that is damaged is put aside', async () => {
    const good = JSON.stringify({ 'docker.io/library/a:1': one, 'docker.io/library/B:1': one, 'b:1': 7, 'c:1': 'x' });
    await writeFile(file(), good);
    expect((await References.open(file())).list()).to.have.length(1);
    for (const bad of ['{', '[]', 'null', '']) {
      await writeFile(file(), bad);
      const references = await References.open(file());
      expect(references.list()).to.deep.equal([]);
      expect(await readFile(`${file()}.damaged`, 'utf8')).to.equal(bad);
      await set(references, 'a:1');
    }
  });
});

describe('Images', () => {
  const json = (comment: string) => Buffer.from(`{"rootfs":{"type":"layers","diff_ids":[]},  "comment":"${comment}"}`);

  it('keep the bytes as they came, and are the same after a restart', async () => {
    const images = await Images.open(folder);
    const image = await images.add(json('a'));
    expect(image.id).to.equal(sha256(json('a')));
    expect(await images.add(json('a'))).to.equal(image);
    await images.setLastTagged(image.id, '2024-01-01T00:00:00Z');
    const again = await Images.open(folder);
    expect(again.list()).to.deep.equal([image]);
    expect((await again.bytes(image.id)).equals(json('a'))).to.equal(true);
    expect(again.lastTagged(image.id)).to.equal('2024-01-01T00:00:00Z');
    await again.remove(image.id);
    const empty = await Images.open(folder);
    expect([empty.list(), empty.lastTagged(image.id), await readdir(join(folder, 'configs'))]).to.deep.equal([
      [],
      null,
      [],
    ]);
  });

  it('are found by a unique prefix of two digits or more', async () => {
    const images = await Images.open(folder);
    const all = await Promise.all(Array.from({ length: 40 }, (_, index) => images.add(json(String(index)))));
    for (const { id } of all) expect(images.findByPrefix(id.slice(7, 27))?.id).to.equal(id);
    const [first] = all;
    expect(images.findByPrefix(first?.id.slice(7, 8) ?? '')).to.equal(null);
    expect(images.findByPrefix('zz')).to.equal(null);
    expect(images.findByPrefix('')).to.equal(null);
  });

  it('whose name is also a prefix of another are found by name first', async () => {
    const images = await Images.open(folder);
    const references = await References.open(join(folder, 'r.json'));
    const [a, b] = [await images.add(json('a')), await images.add(json('b'))];
    await references.set(parseReference(b.id.slice(7, 15)), a.id);
    expect(findImage({ images, references }, b.id.slice(7, 15)).id).to.equal(a.id);
    expect(findImage({ images, references }, b.id.slice(7, 16)).id).to.equal(b.id);
  });

  it('on their way in or out stay at the next start if they have a name', async () => {
    const images = await Images.open(folder);
    const coming = await images.add(json('a'), { isLoose: true });
    const going = await images.add(json('b'));
    await images.loosen(going.id);
    const settled = await images.add(json('c'), { isLoose: true });
    await images.settle(settled.id);
    expect(await images.bytes(coming.id)).to.deep.equal(json('a'));
    await writeFile(join(folder, 'repositories.json.12345678.tmp'), '{');

    const again = await Images.open(folder);
    await again.settleLoose((id) => id === coming.id);
    expect(again.list().map(({ id }) => id)).to.have.members([coming.id, settled.id]);
    expect(await readdir(join(folder, 'configs'))).to.have.members([coming.id.slice(7), settled.id.slice(7)]);
    expect(await readdir(folder)).to.deep.equal(['configs']);
  });

  it('that are damaged are left out and counted', async () => {
    const images = await Images.open(folder);
    const { id } = await images.add(json('a'));
    const path = join(folder, 'configs', id.slice(7));
    await writeFile(path, json('b'));
    await writeFile(`${path}.12345678.tmp`, '{');
    const again = await Images.open(folder);
    expect([again.list(), again.damaged, await readdir(join(folder, 'configs'))]).to.deep.equal([
      [],
      [path],
      [id.slice(7)],
    ]);
  });

  const bad: readonly (readonly [what: string, bytes: Buffer, words: RegExp])[] = [
    ['no JSON', Buffer.from('{'), /invalid image JSON: /],
    ['null', Buffer.from('null'), /expected an object, got null/],
    ['a list', Buffer.from('[]'), /no RootFS key/],
    ['no rootfs', Buffer.from('{}'), /no RootFS key/],
    ['a rootfs that is null', Buffer.from('{"rootfs":null}'), /image.rootfs: expected an object/],
    [
      'an Env of numbers',
      Buffer.from('{"rootfs":{},"config":{"Env":[1]}}'),
      /image.config.Env\[0\]: expected a string/,
    ],
    ['a bad digest', Buffer.from('{"rootfs":{"diff_ids":["md5:x"]}}'), /invalid digest: md5:x/],
    ['endless history', Buffer.from(`{"rootfs":{},"history":[${'{},'.repeat(10_000)}{}]}`), /10001 history entries/],
    ['too many bytes', Buffer.alloc(MAX_CONFIG_BYTES + 1), /at most 4194304 are read/],
  ];
  for (const [what, bytes, words] of bad) {
    it(`take no config with ${what}`, async () => {
      expect(await said((await Images.open(folder)).add(bytes))).to.match(words);
    });
  }
});

describe('Images of strange configs', () => {
  it('pass over what they do not know, up to 256 levels deep', async () => {
    const images = await Images.open(folder);
    const deep = (levels: number) => Buffer.from(`{"rootfs":{},"x":${'['.repeat(levels)}${']'.repeat(levels)}}`);
    expect((await images.add(deep(255))).diffIDs).to.deep.equal([]);
    expect(await rejection(images.add(deep(256)))).to.be.instanceOf(InvalidParameter);
    expect(await rejection(images.add(deep(100_000)))).to.be.instanceOf(InvalidParameter);
  });
});

describe('Volumes', () => {
  const removed: string[] = [];
  const removeTree = async (parent: string, name: string) => {
    removed.push(name);
    await rm(join(parent, name), { recursive: true, force: true });
  };
  const opened = () => Volumes.open(join(folder, 'volumes'), removeTree);
  const anonymous = async (volumes: Volumes) => {
    const container = newContainerID();
    const volume = await volumes.draft(container);
    await volumes.settle(container);
    return volume;
  };

  it('are there once however many ask, and after a restart', async () => {
    const volumes = await opened();
    const all = await Promise.all([volumes.ensure('data'), volumes.ensure('data'), volumes.ensure('data')]);
    expect(new Set(all).size).to.equal(1);
    await writeFile(join(all[0].path, 'f'), 'x');
    const again = await opened();
    expect(again.list()).to.deep.equal([all[0]]);
    expect(await readFile(join(again.get('data')?.path ?? '', 'f'), 'utf8')).to.equal('x');
  });

  it('without a name are told apart from those with one, for ever', async () => {
    const { name } = await anonymous(await opened());
    expect(name).to.match(/^[0-9a-f]{64}$/);
    expect((await opened()).get(name)?.anonymous).to.equal(true);
  });

  it('made for a container stay when it is there at the next start, and go when it is not', async () => {
    const [made, unmade] = [newContainerID(), newContainerID()];
    const before = await opened();
    const [kept, lost] = [await before.draft(made), await before.draft(unmade)];
    const volumes = await opened();
    await volumes.settleDrafts((id) => id === made);
    expect([volumes.get(kept.name), volumes.get(lost.name)]).to.deep.equal([kept, null]);
    expect(await readdir(join(folder, 'volumes'))).to.deep.equal([kept.name]);
    await access(kept.path);
  });

  it('made for a container that is not made after all can be removed', async () => {
    const volumes = await opened();
    await volumes.remove((await volumes.draft(newContainerID())).name);
    expect(await readdir(join(folder, 'volumes'))).to.deep.equal([]);
  });

  it('go with all that is in them', async () => {
    const volumes = await opened();
    await volumes.ensure('data');
    await volumes.remove('data');
    await volumes.remove('data');
    expect(volumes.get('data')).to.equal(null);
    expect(await readdir(join(folder, 'volumes'))).to.deep.equal([]);
  });

  it('half made or half removed are taken away at start', async () => {
    await mkdir(join(folder, 'volumes/.0123456789abcdef/_data'), { recursive: true });
    const volumes = await opened();
    expect([volumes.list(), await readdir(join(folder, 'volumes'))]).to.deep.equal([[], []]);
    expect(removed).to.include('.0123456789abcdef');
  });

  it('whose record is damaged keep their data, and are not anonymous any more', async () => {
    const { name, path } = await anonymous(await opened());
    await writeFile(join(path, '../volume.json'), '{');
    await symlink('/etc', join(folder, 'volumes/etc'));
    await writeFile(join(folder, 'volumes/file'), '');
    const volumes = await opened();
    expect(volumes.list().map(({ name: each, anonymous }) => [each, anonymous])).to.deep.equal([[name, false]]);
    await access(path);
  });

  const bad: readonly (readonly [name: string, words: string])[] = [
    ['a', 'create a: volume name is too short, names should be at least two alphanumeric characters'],
    [
      '../x',
      'create ../x: "../x" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]"',
    ],
    ['.x', 'includes invalid characters'],
    ['a/b', 'If you intended to pass a host directory, use absolute path'],
    ['', 'includes invalid characters'],
    ['x'.repeat(256), 'longer than 255 bytes'],
  ];
  for (const [name, words] of bad) {
    it(`are not called ${JSON.stringify(name.slice(0, 20))}`, async () => {
      expect(await said((await opened()).ensure(name))).to.contain(words);
    });
  }
});

describe('Events', () => {
  const emit = (events: Events, Action: string) =>
    events.emit({ Type: 'container', Action, Actor: { ID: 'x', Attributes: {} } });

  it('are kept up to 256, each later than the one before', () => {
    const events = new Events();
    for (let index = 0; index < 300; index++) emit(events, String(index));
    const past = events.past();
    expect([past.length, past[0]?.Action]).to.deep.equal([256, '44']);
    for (const [index, event] of past.entries()) {
      if (index > 0) expect(event.timeNano > (past[index - 1]?.timeNano ?? 0n)).to.equal(true);
    }
  });

  it('are told to all in the same order, also those that a listener emits', () => {
    const events = new Events();
    const [first, second]: [string[], string[]] = [[], []];
    events.listen(({ Action }) => {
      first.push(Action);
      if (Action === 'die') emit(events, 'destroy');
    });
    const stop = events.listen(({ Action }) => second.push(Action));
    emit(events, 'die');
    stop();
    emit(events, 'start');
    expect([first, second]).to.deep.equal([
      ['die', 'destroy', 'start'],
      ['die', 'destroy'],
    ]);
  });
});

describe('Execs', () => {
  let clock: number;
  let execs: Execs;
  const container = newContainerID();
  const recordOf = (of: ContainerID = container): ExecRecord => ({
    ID: newExecID(),
    ContainerID: of,
    Config: execConfig({}, 'exec'),
    State: { status: 'created' },
  });
  const ended = (record: ExecRecord): ExecRecord => ({ ...record, State: { status: 'exited', pid: 1, exitCode: 3 } });
  const process: Process = {
    pid: 1,
    startedAt: '',
    warnings: [],
    exited: new Promise(() => {}),
    signal: () => {},
    resize: () => {},
    attach: () => Promise.reject(new Error('no')),
  };

  beforeEach(() => {
    clock = 0;
    execs = new Execs(() => clock);
  });

  it('are found by id and unique prefix', () => {
    const record = recordOf();
    execs.add(record);
    expect(execs.get(record.ID.slice(0, 12))).to.equal(record);
    for (const name of ['', 'nope']) expect(() => execs.get(name)).to.throw(`No such exec instance: ${name}`);
  });

  it('have a process while they run', () => {
    const record = recordOf();
    execs.add(record);
    execs.running(record.ID, process);
    expect(execs.process(record.ID)).to.equal(process);
    execs.save(ended(record));
    expect(execs.process(record.ID)).to.equal(null);
  });

  it('say when they begin, end without it, or are forgotten, to whoever waits', async () => {
    const [begins, fails, goes] = [recordOf(), recordOf(), recordOf()];
    for (const record of [begins, fails, goes]) execs.add(record);
    const never = new AbortController();
    const waiting = [begins, fails, goes].map(({ ID }) => execs.begun(ID, never.signal));
    execs.running(begins.ID, process);
    execs.save(ended(fails));
    execs.removeAll(container);
    expect(await Promise.all(waiting)).to.deep.equal([process, null, null]);
  });

  it('let go of who does not wait any longer', async () => {
    const record = recordOf();
    execs.add(record);
    const patience = new AbortController();
    const waiting = execs.begun(record.ID, patience.signal);
    patience.abort(new Error('enough'));
    expect(await waiting.catch((error: Error) => error.message)).to.equal('enough');
    execs.running(record.ID, process);
    expect(await execs.begun(record.ID, new AbortController().signal)).to.equal(process);
  });

  it('can be asked for their code for five minutes after their end', () => {
    const [done, running] = [recordOf(), recordOf()];
    execs.add(done);
    execs.add(running);
    execs.save(ended(done));
    clock = 299_000;
    expect(execs.get(done.ID).State.status).to.equal('exited');
    clock = 301_000;
    expect(() => execs.get(done.ID)).to.throw('No such exec instance');
    expect(execs.of(container)).to.deep.equal([running]);
  });

  it('go with their container', () => {
    const [mine, other] = [recordOf(), recordOf(newContainerID())];
    execs.add(mine);
    execs.add(other);
    execs.removeAll(container);
    execs.save(ended(mine));
    expect(() => execs.get(mine.ID)).to.throw('No such exec instance');
    expect(execs.get(other.ID)).to.equal(other);
  });

  it('have a bound, and make room by forgetting those that ended first', () => {
    const first = recordOf();
    execs.add(first);
    execs.save(ended(first));
    for (let index = 0; index < 4100; index++) execs.add(ended(recordOf()));
    expect(() => execs.get(first.ID)).to.throw('No such exec instance');
    expect(execs.of(container).length).to.be.at.most(4097);
    expect(() => {
      for (let index = 0; index < 5000; index++) execs.add(recordOf());
    }).to.throw('4096 exec instances that have not ended');
  });
});
