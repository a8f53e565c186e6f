import { closeSync, openSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type ChainID, chainID, chainIDOf, type DiffID, diffID, imageID, sha256 } from '../../api/ids.ts';
import { tarOf } from '../../scripts/image-archive.ts';
import { Inflater } from '../../state/inflate.ts';
import { type LayerSource, Layers } from '../../state/layers.ts';
import { TarGraph } from '../stand-ins/tar-graph.ts';

const IMAGE = imageID(sha256('an image'));
const OTHER = imageID(sha256('another'));
const said = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it worked',
    (error: unknown) => String(error),
  );

describe('Layers', () => {
  let root: string;
  let graph: TarGraph;
  let layers: Layers;
  let tars: Buffer[];
  let opened: number;
  let cleanups: (() => Promise<void>)[];

  beforeEach(async () => {
    root = await mkdtemp('/tmp/g-');
    await mkdir(join(root, 'graph'));
    tars = await Promise.all(['a', 'b', 'c'].map((name) => tarOf([{ name, content: name.repeat(100) }])));
    opened = 0;
    cleanups = [];
    await reopen();
  });
  afterEach(async () => {
    for (const cleanup of cleanups) await cleanup();
    await rm(root, { recursive: true, force: true });
  });

  async function reopen(): Promise<void> {
    graph = new TarGraph(join(root, 'graph'));
    layers = await Layers.open(join(root, 'layers'), graph);
  }

  /** A source of these bytes, by way of a file as they come from an archive. */
  function source(bytes: Buffer): LayerSource {
    return (signal) => {
      const path = join(root, `file-${++opened}`);
      writeFileSync(path, bytes);
      const fd = openSync(path, 'r');
      const inflater = new Inflater();
      cleanups.push(async () => {
        await inflater[Symbol.asyncDispose]();
        closeSync(fd);
      });
      return inflater.inflate({ fd, offset: 0, size: bytes.length }, { signal });
    };
  }

  const diffOf = (index: number): DiffID => diffID(sha256(tars[index] ?? ''));
  const add = (parent: ChainID | null, index: number, expected: DiffID | null = diffOf(index)) =>
    layers.register(parent, source(tars[index] ?? Buffer.alloc(0)), expected);

  /** Three layers, one on another, that an image keeps. */
  async function stack(): Promise<ChainID[]> {
    await using a = await add(null, 0);
    await using b = await add(a.chain, 1);
    await using c = await add(b.chain, 2);
    layers.retain(c.chain, IMAGE);
    return [a.chain, b.chain, c.chain];
  }
  const count = async () => [
    (await readdir(join(root, 'graph'))).length,
    (await readdir(join(root, 'layers/tar-graph'))).length,
  ];
  const image = (top: ChainID | undefined) => (top === undefined ? [] : [{ image: IMAGE, top }]);

  it('are named by what they are and what they stand on', async () => {
    const [a, b] = await stack();
    expect(a).to.equal(diffOf(0));
    expect(b).to.equal(chainID(chainIDOf(diffOf(0)), diffOf(1)));
    expect([layers.sizeOf(a ?? null), layers.sizeOf(b ?? null), layers.sizeOf(null)]).to.deep.equal([100, 200, 0]);
  });

  it('go when nobody keeps them, and not before', async () => {
    await using a = await add(null, 0);
    await (await add(a.chain, 1))[Symbol.asyncDispose]();
    expect(await count()).to.deep.equal([1, 1]);
    await a[Symbol.asyncDispose]();
    expect(await count()).to.deep.equal([0, 0]);
  });

  it('go from the top downwards with their image, and are named so', async () => {
    const chains = await stack();
    layers.retain(chains[1] ?? diffOfChain(), OTHER);
    expect(await layers.release(chains[2] ?? diffOfChain(), IMAGE)).to.deep.equal([chains[2]]);
    expect(await layers.release(chains[1] ?? diffOfChain(), OTHER)).to.deep.equal([chains[1], chains[0]]);
    expect(await layers.release(chains[1] ?? diffOfChain(), OTHER)).to.deep.equal([]);
    expect(await count()).to.deep.equal([0, 0]);
  });

  const diffOfChain = (): ChainID => chainIDOf(diffOf(0));

  it('are not read again when they are there', async () => {
    await stack();
    await (await add(null, 0))[Symbol.asyncDispose]();
    expect(opened).to.equal(3);
  });

  it('are unpacked once, however many ask at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => add(null, 0)));
    expect([opened, graph.unpacked]).to.deep.equal([1, 1]);
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()));
    expect(await count()).to.deep.equal([0, 0]);
  });

  it('whose digest is not known before are the same layer all the same', async () => {
    const all = await Promise.all([add(null, 0, null), add(null, 0, null), add(null, 0)]);
    expect(new Set(all.map(({ chain }) => chain)).size).to.equal(1);
    expect(await count()).to.deep.equal([1, 1]);
  });

  it('may be compressed', async () => {
    await using layer = await layers.register(null, source(gzipSync(tars[0] ?? '')), diffOf(0));
    expect(layer.diffID).to.equal(diffOf(0));
  });

  it('that are not what they were said to be leave nothing', async () => {
    expect(await said(add(null, 0, diffOf(1)))).to.match(/wrong diff id calculated on extraction/);
    expect(await said(layers.register(null, source(Buffer.alloc(1000, 'x')), diffOf(0)))).to.match(/InvalidParameter/);
    expect(await said(add(chainIDOf(diffOf(2)), 0))).to.match(/layer does not exist/);
    expect(await count()).to.deep.equal([0, 0]);
  });

  it('whose making is cancelled leave nothing, and let the next one in', async () => {
    const controller = new AbortController();
    const first = layers.register(
      null,
      source(Buffer.concat([tars[0] ?? Buffer.alloc(0), Buffer.alloc(8 * 1024 ** 2)])),
      diffOf(0),
      controller.signal,
    );
    const second = add(null, 0);
    controller.abort(new Error('gone'));
    expect(await said(first)).to.match(/gone/);
    await using layer = await second;
    expect(layer.chain).to.equal(diffOf(0));
    expect(await count()).to.deep.equal([1, 1]);
  });

  describe('of containers', () => {
    it('keep what they stand on, also without the image', async () => {
      const [, , top = diffOfChain()] = await stack();
      const layer = await layers.addReadWrite(top);
      expect(await layers.release(top, IMAGE)).to.deep.equal([]);
      await layers.removeReadWrite(layer, top);
      await layers.removeReadWrite(layer, top);
      expect(await count()).to.deep.equal([0, 0]);
    });

    it('stand on nothing where the image is empty, and on nothing that is not there', async () => {
      await layers.removeReadWrite(await layers.addReadWrite(null), null);
      expect(await said(layers.addReadWrite(diffOfChain()))).to.match(/layer does not exist/);
      expect(await count()).to.deep.equal([0, 0]);
    });
  });

  describe('after a restart', () => {
    it('are those that images and containers name; the rest goes', async () => {
      const [a = diffOfChain(), b = diffOfChain()] = await stack();
      const layer = await layers.addReadWrite(b);
      await layers.addReadWrite(a);
      await reopen();
      await layers.sweep([], [{ layer, top: b }], true);
      expect(await count()).to.deep.equal([3, 2]);
      await layers.removeReadWrite(layer, b);
      expect(await count()).to.deep.equal([0, 0]);
    });

    it('all stay where somebody may use what nobody names', async () => {
      await stack();
      await reopen();
      await layers.sweep([], [], false);
      expect(await count()).to.deep.equal([3, 3]);
    });

    it('all stay where a record is damaged, and its children are not there', async () => {
      const [a = diffOfChain(), , c = diffOfChain()] = await stack();
      await writeFile(join(root, 'layers/tar-graph', `${a.slice(7)}.json`), '{');
      await reopen();
      await layers.sweep(image(c), [], true);
      expect([layers.has(a), layers.has(c)]).to.deep.equal([false, false]);
      expect(await count()).to.deep.equal([3, 3]);
    });

    it('without their tree are unpacked again, with all that stood on them', async () => {
      const [a = diffOfChain(), b = diffOfChain(), c = diffOfChain()] = await stack();
      const { layer } = JSON.parse(await readFile(join(root, 'layers/tar-graph', `${b.slice(7)}.json`), 'utf8'));
      await rm(join(root, 'graph', layer), { recursive: true });
      await reopen();
      await layers.sweep([...image(c), { image: OTHER, top: a }], [], true);
      expect([a, b, c].map((chain) => layers.has(chain))).to.deep.equal([true, false, false]);
      await stack();
      expect(layers.sizeOf(c)).to.equal(300);
    });

    it('leave no tree without a record', async () => {
      await stack();
      await mkdir(join(root, 'graph', 'f'.repeat(32)));
      await reopen();
      await layers.sweep(image((await stack())[2]), [], true);
      expect(await count()).to.deep.equal([3, 3]);
    });
  });
});
