import { expect } from 'chai';
import type { Filters } from '../../../api/filters.ts';
import { imageID, sha256 } from '../../../api/ids.ts';
import { parseReference } from '../../../api/reference.ts';
import { dockerArchive, type ImageSpec, imageJSON, tarOf } from '../../../scripts/image-archive.ts';
import { ImageStore } from '../../stand-ins/image-store.ts';

const created = (day: number) => ({ created: `2024-01-0${day}T00:00:00Z` });
const said = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it worked',
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
  );

describe('image jobs', () => {
  let store: ImageStore;
  let layer: Buffer;
  let old: ImageSpec;
  let middle: ImageSpec;
  let young: ImageSpec;

  before(async () => {
    layer = await tarOf([{ name: 'f', content: 'x'.repeat(1000) }]);
    const top = await tarOf([{ name: 'g', content: 'y'.repeat(500) }]);
    old = { layers: [layer], tags: ['busybox:1', 'busybox:latest'], config: { Labels: { a: '1' } }, json: created(1) };
    middle = { layers: [layer, top], tags: ['localhost:5000/app/web:v1'], config: { Cmd: ['x'] }, json: created(2) };
    young = { layers: [layer], config: { Labels: { a: '2', b: '' } }, json: created(3) };
  });
  beforeEach(async () => {
    store = await ImageStore.open();
    await store.load(await dockerArchive([old, middle, young]));
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
  });

  const idOf = (spec: ImageSpec) => imageID(sha256(imageJSON(spec)));
  const remove = (name: string, force = false) => store.engine.run('image_delete', [name], { force, noprune: false });

  describe('images', () => {
    const list = async (filters: Record<string, string[]> = {}) => {
      const map: Filters = new Map(Object.entries(filters));
      const rows = await store.engine.run('images', [], { all: false, digests: false, filters: map });
      return rows.map(({ Id }) => (Id === idOf(old) ? 'old' : Id === idOf(middle) ? 'middle' : 'young'));
    };

    it('lists all, the newest first, with names and sizes', async () => {
      const rows = await store.engine.run('images', [], { all: false, digests: false, filters: new Map() });
      expect(rows[1]).to.deep.equal({
        Id: idOf(middle),
        ParentId: '',
        RepoTags: ['localhost:5000/app/web:v1'],
        RepoDigests: [],
        Created: Date.parse('2024-01-02T00:00:00Z') / 1000,
        Size: 1500,
        SharedSize: -1,
        Labels: null,
        Containers: -1,
      });
      expect(rows.map(({ RepoTags }) => RepoTags)).to.deep.equal([
        [],
        ['localhost:5000/app/web:v1'],
        ['busybox:1', 'busybox:latest'],
      ]);
    });

    const table: readonly (readonly [filters: Record<string, string[]>, expected: string[]])[] = [
      [{ dangling: ['true'] }, ['young']],
      [{ dangling: ['false'] }, ['middle', 'old']],
      [{ dangling: ['1'] }, ['young']],
      [{ label: ['a'] }, ['young', 'old']],
      [{ label: ['a=1'] }, ['old']],
      [{ label: ['a', 'b'] }, ['young']],
      [{ label: ['b='] }, ['young']],
      [{ label: ['__proto__'] }, []],
      [{ 'label!': ['a'] }, ['middle']],
      [{ before: ['localhost:5000/app/web:v1'] }, ['old']],
      [{ since: ['localhost:5000/app/web:v1'] }, ['young']],
      [{ since: ['busybox'], before: ['localhost:5000/app/web:v1'] }, []],
      [{ until: ['2024-01-02T00:00:00Z'] }, ['old']],
      [{ until: ['10m'] }, ['young', 'middle', 'old']],
      [{ reference: ['busybox'] }, ['old']],
      [{ reference: ['busy*:1'] }, ['old']],
      [{ reference: ['*/library/busybox'] }, ['old']],
      [{ reference: ['*'] }, ['old']],
      [{ reference: ['localhost:5000/*/*'] }, ['middle']],
      [{ reference: ['busybox', 'localhost:5000/app/web'] }, ['middle', 'old']],
      [{ reference: ['nothing'] }, []],
    ];
    for (const [filters, expected] of table) {
      it(`with ${JSON.stringify(filters)} lists ${expected.join(', ') || 'none'}`, async () => {
        expect(await list(filters)).to.deep.equal(expected);
      });
    }

    it('shows only the names that the reference filter matches', async () => {
      const filters: Filters = new Map([['reference', ['busybox:latest']]]);
      const [row] = await store.engine.run('images', [], { all: false, digests: false, filters });
      expect(row?.['RepoTags']).to.deep.equal(['busybox:latest']);
    });

    const bad: readonly (readonly [filters: Record<string, string[]>, words: string])[] = [
      [{ nonsense: ['x'] }, "Invalid filter 'nonsense'"],
      [{ dangling: ['maybe'] }, "Invalid filter 'dangling=[maybe]'"],
      [{ before: ['nope'] }, 'No such image: nope:latest'],
      [{ reference: ['['] }, 'syntax error in pattern'],
      [{ until: ['x'] }, 'strconv.ParseInt'],
    ];
    for (const [filters, words] of bad) {
      it(`refuses ${JSON.stringify(filters)}`, async () => {
        expect(await said(list(filters))).to.contain(words);
      });
    }
  });

  describe('image_inspect', () => {
    it('tells all there is to know', async () => {
      const found = await store.engine.run('image_inspect', ['busybox'], {});
      expect(found).to.deep.include({
        Id: idOf(old),
        RepoTags: ['busybox:1', 'busybox:latest'],
        RepoDigests: [],
        Created: '2024-01-01T00:00:00Z',
        Os: 'linux',
        Size: 1000,
        RootFS: { Type: 'layers', Layers: [sha256(layer)] },
        Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
      });
      expect(found['GraphDriver']).to.have.property('Name', 'tar-graph');
      expect(found['Config']).to.have.all.keys(
        'Cmd',
        'Entrypoint',
        'Env',
        'Labels',
        'OnBuild',
        'User',
        'Volumes',
        'WorkingDir',
      );
    });

    it('finds by name, whole id, id without its algorithm and unique prefix', async () => {
      const id = idOf(old);
      for (const name of [
        'busybox',
        'docker.io/library/busybox:1',
        id,
        id.slice(7),
        id.slice(7, 19),
        id.slice(0, 20),
      ]) {
        expect((await store.engine.run('image_inspect', [name], {})).Id, name).to.equal(id);
      }
    });

    it('says what there is not', async () => {
      const inspect = (name: string) => said(store.engine.run('image_inspect', [name], {}));
      expect(await inspect('nope')).to.equal('NoSuchImage: no such image: nope: No such image: nope:latest');
      expect(await inspect('a'.repeat(64))).to.equal(
        `NoSuchImage: no such image: ${'a'.repeat(64)}: No such image: sha256:${'a'.repeat(64)}`,
      );
      expect(await inspect('A')).to.match(/must be lowercase/);
      expect(await inspect('')).to.equal('InvalidParameter: no such image: : invalid reference format');
    });
  });

  describe('history', () => {
    it('tells the steps, the newest first', async () => {
      const rows = await store.engine.run('history', ['localhost:5000/app/web:v1'], {});
      expect(rows.map(({ Id, Size, Tags }) => [Id, Size, Tags])).to.deep.equal([
        [idOf(middle), 500, ['localhost:5000/app/web:v1']],
        ['<missing>', 1000, null],
      ]);
    });

    it('gives steps without a layer no size, and refuses more with one than there are', async () => {
      const step = { created_by: 'RUN', empty_layer: true };
      await store.load(await dockerArchive([{ layers: [layer], tags: ['h:1'], json: { history: [step, {}, step] } }]));
      const rows = await store.engine.run('history', ['h:1'], {});
      expect(rows.map(({ Size }) => Size)).to.deep.equal([0, 1000, 0]);
      await store.load(await dockerArchive([{ layers: [layer], tags: ['h:2'], json: { history: [{}, {}] } }]));
      expect(await said(store.engine.run('history', ['h:2'], {}))).to.equal(
        'InvalidParameter: too many non-empty layers in History section',
      );
    });
  });

  describe('tag', () => {
    it('gives one more name, tells it and when', async () => {
      await store.engine.run('tag', ['busybox', 'other', 'v1'], {});
      expect(store.references.resolve(parseReference('other:v1'))).to.equal(idOf(old));
      expect(store.told().at(-1)).to.equal('image tag other:v1');
      const found = await store.engine.run('image_inspect', ['other:v1'], {});
      expect(found['Metadata']).to.not.deep.equal({ LastTagTime: '0001-01-01T00:00:00Z' });
    });

    it('takes the name from the image that had it', async () => {
      await store.engine.run('tag', ['localhost:5000/app/web:v1', 'busybox'], {});
      expect(store.references.of(idOf(old))).to.have.length(1);
    });

    const bad: readonly (readonly [args: [string, string, string?], words: string])[] = [
      [['nope', 'a'], 'No such image: nope:latest'],
      [['busybox', ''], 'invalid reference format'],
      [['busybox', 'Upper'], 'must be lowercase'],
      [['busybox', 'a', 'x y'], 'invalid tag format'],
      [['busybox', 'sha256', 'x'], 'refusing to create an ambiguous tag using digest algorithm as name'],
      [['busybox', `a@sha256:${'0'.repeat(64)}`], 'refusing to create a tag with a digest reference'],
    ];
    for (const [args, words] of bad) {
      it(`refuses ${args.join(' ')}`, async () => {
        expect(await said(store.engine.run('tag', args, {}))).to.contain(words);
      });
    }
  });

  describe('image_delete', () => {
    it('takes a name, and the image with its last', async () => {
      expect(await remove('busybox:1')).to.deep.equal([{ Untagged: 'busybox:1' }]);
      expect(await remove('busybox')).to.deep.equal([{ Untagged: 'busybox:latest' }, { Deleted: idOf(old) }]);
      expect(store.told().slice(-3)).to.deep.equal([
        `image untag ${idOf(old)}`,
        `image untag ${idOf(old)}`,
        `image delete ${idOf(old)}`,
      ]);
    });

    it('takes the layers that nothing else stands on, and the last image all', async () => {
      const gone = await remove('localhost:5000/app/web:v1');
      expect(gone.map((row) => Object.keys(row)[0])).to.deep.equal(['Untagged', 'Deleted', 'Deleted']);
      expect((await store.census()).trees).to.equal(1);
      await remove(idOf(young).slice(7, 19));
      expect(await said(remove(idOf(old)))).to.equal(
        `Conflict: conflict: unable to delete ${idOf(old).slice(7, 19)} (must be forced) - image is referenced in multiple repositories`,
      );
      const rows = await remove(idOf(old), true);
      expect(rows.slice(0, 3)).to.deep.equal([
        { Untagged: 'busybox:1' },
        { Untagged: 'busybox:latest' },
        { Deleted: idOf(old) },
      ]);
      expect(await store.census()).to.deep.equal({ configs: 0, trees: 0, records: 0, uploads: 0 });
    });

    it('takes an image with one name by its id', async () => {
      const rows = await remove(idOf(middle));
      expect(rows.slice(0, 2)).to.deep.equal([{ Untagged: 'localhost:5000/app/web:v1' }, { Deleted: idOf(middle) }]);
    });

    it("keeps what a container uses, in dockerd's words", async () => {
      const image = store.images.get(idOf(middle));
      if (image === null) throw new Error('it is not there');
      const id = image.id.slice(7, 19);
      const stopped = await store.addContainer(image, 'exited');
      const user = stopped.ID.slice(0, 12);
      expect(await said(remove('localhost:5000/app/web:v1'))).to.equal(
        'Conflict: conflict: unable to remove repository reference "localhost:5000/app/web:v1" (must force) - ' +
          `container ${user} is using its referenced image ${id}`,
      );
      expect(await said(remove(id))).to.equal(
        `Conflict: conflict: unable to delete ${id} (must be forced) - image is being used by stopped container ${user}`,
      );
      const running = await store.addContainer(image, 'running');
      expect(await said(remove(id, true))).to.equal(
        `Conflict: conflict: unable to delete ${id} (cannot be forced) - image is being used by running container ${running.ID.slice(0, 12)}`,
      );
      expect(await remove('localhost:5000/app/web:v1', true)).to.deep.equal([
        { Untagged: 'localhost:5000/app/web:v1' },
      ]);
    });

    it('leaves the layers to a container that outlives its image', async () => {
      const image = store.images.get(idOf(middle));
      if (image === null) throw new Error('it is not there');
      const container = await store.addContainer(image, 'exited');
      expect(await remove(image.id, true)).to.deep.equal([
        { Untagged: 'localhost:5000/app/web:v1' },
        { Deleted: image.id },
      ]);
      const again = await ImageStore.open(store);
      expect((await again.census()).trees).to.equal(3);
      await again.layers.removeReadWrite(container.Layer, container.Chain);
      expect((await again.census()).trees).to.equal(1);
    });

    it('says what there is not', async () => {
      expect(await said(remove('nope'))).to.equal('NoSuchImage: No such image: nope:latest');
    });

    it('ends well or not at all when many remove the same', async () => {
      const all = await Promise.all(Array.from({ length: 8 }, () => said(remove(idOf(middle)))));
      expect(all.filter((words) => words === 'it worked')).to.have.length(1);
      expect(new Set(all).size).to.equal(2);
    });
  });
});
