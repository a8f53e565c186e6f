import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { chainIDOf, sha256 } from '../../../api/ids.ts';
import { parseReference } from '../../../api/reference.ts';
import { dockerArchive, imageJSON, ociArchive, tarOf } from '../../../scripts/image-archive.ts';
import { ImageStore, inPieces } from '../../stand-ins/image-store.ts';
import { ARCHIVE_XZ, BIG_XZ, HELLO_XZ } from '../../stand-ins/xz-packed.ts';

const NOTHING = { configs: 0, trees: 0, records: 0, uploads: 0 };
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it worked',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
const id = (text: string) => parseReference(text);

describe('load', () => {
  let store: ImageStore;
  let one: Buffer;
  let two: Buffer;

  before(async () => {
    one = await tarOf([
      { name: 'bin/', type: 'directory' },
      { name: 'bin/sh', content: 'x'.repeat(100_000) },
    ]);
    two = await tarOf([{ name: 'etc/hostname', content: 'two' }]);
  });
  beforeEach(async () => {
    store = await ImageStore.open();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
  });

  it('takes an archive of docker save, and says so as dockerd does', async () => {
    const lines = await store.load(await dockerArchive([{ layers: [one, two], tags: ['busybox:latest'] }]));
    expect(lines).to.deep.equal(['{"stream":"Loaded image: busybox:latest\\n"}']);
    const [image] = store.images.list();
    expect(image?.id).to.equal(sha256(imageJSON({ layers: [one, two] })));
    expect(store.references.resolve(id('busybox'))).to.equal(image?.id);
    expect(await store.census()).to.deep.equal({ configs: 1, trees: 2, records: 2, uploads: 0 });
    expect(store.told()).to.deep.equal([`image load ${image?.id}`]);
  });

  it('takes an archive in xz', async () => {
    const archive = Buffer.from(ARCHIVE_XZ, 'base64');
    expect(await store.load(archive)).to.deep.equal(['{"stream":"Loaded image: a:1\\n"}']);
    expect(await store.census()).to.deep.equal({ configs: 1, trees: 1, records: 1, uploads: 0 });
  });

  it('tells the bytes of each layer unless it is to be quiet', async () => {
    const lines = await store.load(await dockerArchive([{ layers: [one], tags: ['a:b'] }]), false);
    const last = lines.filter((line) => line.includes('Loading layer')).at(-1) ?? '';
    expect(JSON.parse(last)).to.deep.include({
      status: 'Loading layer',
      id: sha256(one).slice(7, 19),
      progressDetail: { current: one.length, total: one.length },
    });
  });

  it('takes an OCI layout with compressed layers', async () => {
    const archive = await ociArchive([
      { layers: [gzipSync(one), gzipSync(two)], uncompressed: [one, two], tags: ['docker.io/library/oci:1'] },
    ]);
    expect(await store.load(archive)).to.deep.equal(['{"stream":"Loaded image: oci:1\\n"}']);
    expect(store.layers.has(chainIDOf(sha256(one)))).to.equal(true);
  });

  it('takes an archive that is compressed as a whole', async () => {
    const archive = gzipSync(await dockerArchive([{ layers: [gzipSync(one)], uncompressed: [one], tags: ['a:1'] }]));
    expect(await store.load(archive)).to.deep.equal(['{"stream":"Loaded image: a:1\\n"}']);
  });

  it('names an image without a name by its id', async () => {
    const lines = await store.load(await dockerArchive([{ layers: [one] }]));
    expect(lines).to.deep.equal([`{"stream":"Loaded image ID: ${sha256(imageJSON({ layers: [one] }))}\\n"}`]);
  });

  it('follows the links by which docker save names a layer twice', async () => {
    const json = imageJSON({ layers: [one, two, one] });
    const archive = await tarOf([
      { name: './c.json', content: json },
      { name: 'a/layer.tar', content: one },
      { name: 'b/layer.tar', content: two },
      { name: 'c/layer.tar', type: 'symlink', linkname: '../a/layer.tar' },
      {
        name: 'manifest.json',
        content: JSON.stringify([
          { Config: 'c.json', RepoTags: ['x:1'], Layers: ['a/layer.tar', 'b/layer.tar', 'c/layer.tar'] },
        ]),
      },
    ]);
    expect(await store.load(archive)).to.deep.equal(['{"stream":"Loaded image: x:1\\n"}']);
  });

  it('unpacks a layer once for two images, and once for two loads at the same time', async () => {
    const archive = await dockerArchive([
      { layers: [one], tags: ['a:1'], config: { Cmd: ['a'] } },
      { layers: [one], tags: ['b:1'], config: { Cmd: ['b'] } },
    ]);
    await Promise.all([store.load(archive), store.load(archive), store.load(archive)]);
    expect(store.graph.unpacked).to.equal(1);
    expect(await store.census()).to.deep.equal({ configs: 2, trees: 1, records: 1, uploads: 0 });
  });

  it('says that a name has gone from another image', async () => {
    await store.load(await dockerArchive([{ layers: [one], tags: ['a:1'] }]));
    const before = store.references.resolve(id('a:1'));
    const lines = await store.load(await dockerArchive([{ layers: [two], tags: ['a:1'] }]));
    expect(lines[0]).to.equal(
      `{"stream":"The image a:1 already exists, renaming the old one with ID ${before} to empty string\\n"}`,
    );
  });

  it('is the same after a restart, and so is the second load', async () => {
    await store.load(await dockerArchive([{ layers: [one, two], tags: ['a:1'] }]));
    const again = await ImageStore.open(store);
    expect(again.images.list()).to.deep.equal(store.images.list());
    expect(again.references.list()).to.deep.equal(store.references.list());
    await again.load(await dockerArchive([{ layers: [one, two], tags: ['a:2'] }]));
    expect(again.graph.unpacked).to.equal(0);
    await again.engine.run('image_delete', ['a:1'], { force: false, noprune: false });
    await again.engine.run('image_delete', ['a:2'], { force: false, noprune: false });
    expect(await again.census()).to.deep.equal(NOTHING);
  });

  describe('leaves nothing', () => {
    const lies: readonly (readonly [what: string, archive: () => Promise<Buffer> | Buffer, words: string | RegExp])[] =
      [
        [
          'of what is no tar',
          () => Buffer.alloc(2048, 'no tar'),
          'Error processing tar file(exit status 1): archive/tar: invalid tar header',
        ],
        ['of an empty archive', () => Buffer.alloc(1024), 'invalid archive: does not contain a manifest.json'],
        ['of nothing at all', () => Buffer.alloc(0), 'invalid archive: does not contain a manifest.json'],
        [
          'of an archive that is cut off',
          async () => (await dockerArchive([{ layers: [one], tags: ['a:1'] }])).subarray(0, 60_000),
          'Error processing tar file(exit status 1): unexpected EOF',
        ],
        [
          'of gzip that is cut off',
          () => gzipSync(Buffer.alloc(100_000)).subarray(0, 60),
          'Error processing tar file(exit status 1): unexpected EOF',
        ],
        [
          'of a layer that is cut off within its compression',
          () => dockerArchive([{ layers: [gzipSync(one).subarray(0, 60)], uncompressed: [one], tags: ['a:1'] }]),
          'unexpected EOF',
        ],
        ['of an archive in bzip2', () => Buffer.from('BZh91AY'), /archive is compressed with bzip2: only gzip, xz/],
        [
          'of an archive in xz that is cut off',
          () => Buffer.from(HELLO_XZ, 'base64').subarray(0, -20),
          'Error processing tar file(exit status 1): unexpected EOF',
        ],
        [
          'of what is no tar, in xz',
          () => Buffer.from(BIG_XZ, 'base64'),
          'Error processing tar file(exit status 1): archive/tar: invalid tar header',
        ],
        [
          'of a layer in zstd, where Node has none',
          () => dockerArchive([{ layers: [Buffer.from('28b52ffd00000000', 'hex')], tags: ['a:1'] }]),
          /zstd|ZSTD|unexpected/i,
        ],
        [
          'of a layer that is not what the config says',
          () => dockerArchive([{ layers: [one, two], uncompressed: [one, one], tags: ['a:1'] }]),
          /^invalid diffID for layer 1: expected "sha256:[0-9a-f]{64}", got "sha256:[0-9a-f]{64}"$/,
        ],
        [
          'of a second image that is bad, nor of the first that is good',
          () =>
            dockerArchive([
              { layers: [one], tags: ['good:1'] },
              { layers: [two], uncompressed: [Buffer.alloc(1024)], tags: ['bad:1'] },
            ]),
          /invalid diffID/,
        ],
        [
          'of a manifest with another number of layers',
          async () => {
            const json = imageJSON({ layers: [one, two] });
            return tarOf([
              { name: 'c.json', content: json },
              { name: 'l.tar', content: one },
              { name: 'manifest.json', content: '[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]}]' },
            ]);
          },
          'invalid manifest, layers length mismatch: expected 1, got 2',
        ],
        [
          'of a manifest that is null',
          () => tarOf([{ name: 'manifest.json', content: 'null' }]),
          /manifest cannot be null/,
        ],
        [
          'of a manifest that is no JSON',
          () => tarOf([{ name: 'manifest.json', content: '[{' }]),
          /^invalid archive: failed to decode manifest.json/,
        ],
        [
          'of a manifest with paths out of the archive',
          () => tarOf([{ name: 'manifest.json', content: '[{"Config":"../../etc/passwd","Layers":[]}]' }]),
          'invalid archive: open ../../etc/passwd: no such file or directory',
        ],
        [
          'of an entry outside of the archive',
          () => tarOf([{ name: '../evil', content: 'x' }]),
          'Error processing tar file(exit status 1): invalid archive: entry "../evil" is outside of it',
        ],
        [
          'of links that go round',
          () =>
            tarOf([
              { name: 'manifest.json', type: 'symlink', linkname: 'b' },
              { name: 'b', type: 'symlink', linkname: 'manifest.json' },
            ]),
          'invalid archive: does not contain a manifest.json',
        ],
        [
          'of an image for another system',
          () => dockerArchive([{ layers: [one], tags: ['a:1'], json: { os: 'windows' } }]),
          'cannot load windows image on linux',
        ],
        [
          'of a bad name',
          () => dockerArchive([{ layers: [one], tags: ['Not:1'] }]),
          'invalid reference format: repository name (library/Not) must be lowercase',
        ],
        ['of a name without a tag', () => dockerArchive([{ layers: [one], tags: ['a'] }]), 'invalid tag "a"'],
        [
          'of a config without rootfs',
          () => dockerArchive([{ layers: [], tags: ['a:1'], json: { rootfs: undefined } }]),
          'invalid image JSON, no RootFS key',
        ],
        [
          'of a config with digests that are none',
          () => dockerArchive([{ layers: [], tags: ['a:1'], json: { rootfs: { diff_ids: ['sha256:../../x'] } } }]),
          'invalid digest: sha256:../../x',
        ],
        [
          'of more layers than one may stand on another',
          () =>
            dockerArchive([{ layers: [], tags: ['a:1'], json: { rootfs: { diff_ids: Array(126).fill(sha256('')) } } }]),
          'max depth exceeded',
        ],
        [
          'of an index that is a manifest too',
          () => tarOf([{ name: 'index.json', content: '{"manifests":[],"layers":[]}' }]),
          /an index and a manifest at once/,
        ],
        [
          'of a blob under a digest it does not have',
          async () => {
            const digest = sha256('another');
            const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 2 };
            return tarOf([
              { name: `blobs/sha256/${digest.slice(7)}`, content: '{}' },
              { name: 'index.json', content: JSON.stringify({ manifests: [descriptor] }) },
            ]);
          },
          /has another digest/,
        ],
      ];
    for (const [what, archive, words] of lies) {
      it(what, async () => {
        const said = await failure(store.load(await archive()));
        if (typeof words === 'string') expect(said).to.equal(words);
        else expect(said).to.match(words);
        expect(await store.census()).to.deep.equal(NOTHING);
        expect(store.references.list()).to.deep.equal([]);
        expect(store.told()).to.deep.equal([]);
      });
    }

    it('of a pax header that would not fit into memory', async () => {
      const header = Buffer.alloc(512);
      header.write('x', 0);
      header.write('00000000000\0', 124);
      header.write('77777777777', 124);
      header.write('x', 156);
      header.write('ustar\0', 257);
      header.write('        ', 148);
      header.write(
        `${header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
      );
      expect(await failure(store.load(header))).to.equal(
        'Error processing tar file(exit status 1): archive/tar: header field too long',
      );
    });

    it('of an upload whose client goes away, in the archive or in a layer', async () => {
      const archive = await dockerArchive([{ layers: [one], tags: ['a:1'] }]);
      for (const part of [0.3, 0.9]) {
        const stdin = new PassThrough();
        stdin.write(archive.subarray(0, Math.floor(archive.length * part)));
        const controller = new AbortController();
        const running = store.engine.job('load', [], { quiet: true }, { stdin, signal: controller.signal }).run();
        setImmediate(() => controller.abort(new Error('gone')));
        await running.then(
          () => expect.fail('it worked'),
          () => {},
        );
      }
      expect(await store.census()).to.deep.equal(NOTHING);
    });

    it('of a stream that ends with an error', async () => {
      const broken = Readable.from(
        (function* () {
          yield* inPieces(Buffer.alloc(512 * 20));
          throw new Error('connection reset');
        })(),
      );
      expect(await failure(store.load(broken))).to.equal('Error processing tar file(exit status 1): unexpected EOF');
      expect(await store.census()).to.deep.equal(NOTHING);
    });
  });
});
