import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { sha256 } from '../../api/ids.ts';
import { Inflater } from '../../state/inflate.ts';
import { BIG_XZ, HELLO_SHA256_XZ, HELLO_WIDE_XZ, HELLO_XZ, NOTHING_XZ } from '../stand-ins/xz-packed.ts';

describe('Inflater', () => {
  let folder: string;
  let file: FileHandle;
  let inflater: Inflater;

  beforeEach(async () => {
    folder = await mkdtemp('/tmp/g-');
    inflater = new Inflater({ freeBytes: 8 * 1024 ** 2, maxRatio: 20 });
  });
  afterEach(async () => {
    await inflater[Symbol.asyncDispose]();
    await file.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function inflate(bytes: Buffer, around = Buffer.from('around it')) {
    await writeFile(join(folder, 'f'), Buffer.concat([around, bytes, around]));
    file = await open(join(folder, 'f'));
    return inflater.inflate({ fd: file.fd, offset: around.length, size: bytes.length });
  }
  const said = async (bytes: Buffer): Promise<string> => {
    const { tar, digests } = await inflate(bytes);
    const [words, digest] = await Promise.all([buffer(tar).catch(String), digests.catch(String)]);
    expect(digest).to.equal(words);
    return String(words);
  };

  const big = Buffer.alloc(5 * 1024 ** 2 + 77, 'some bytes that repeat ');
  const unpacked64 = (text: string) => Buffer.from(text, 'base64');
  for (const [what, bytes, xz] of [
    ['nothing', Buffer.alloc(0), unpacked64(NOTHING_XZ)],
    ['a little', Buffer.from('hello'), unpacked64(HELLO_XZ)],
    ['more than is on its way at once', big, unpacked64(BIG_XZ)],
  ] as const) {
    it(`gives ${what} out of xz, and the digests of both`, async () => {
      const { tar, digests } = await inflate(xz);
      expect((await buffer(tar)).equals(bytes)).to.equal(true);
      expect(await digests).to.deep.equal({ diffID: sha256(bytes), digest: sha256(xz) });
    });

    it(`gives ${what} as it is`, async () => {
      const { tar, digests } = await inflate(bytes);
      expect((await buffer(tar)).equals(bytes)).to.equal(true);
      expect(await digests).to.deep.equal({ diffID: sha256(bytes), digest: sha256(bytes) });
    });

    it(`gives ${what} out of gzip, and the digests of both`, async () => {
      const packed = gzipSync(bytes, { level: 0 });
      const { tar, digests } = await inflate(packed);
      expect((await buffer(tar)).equals(bytes)).to.equal(true);
      expect(await digests).to.deep.equal({ diffID: sha256(bytes), digest: sha256(packed) });
    });
  }

  it('goes from one to the next in the same thread', async () => {
    for (const bytes of [Buffer.from('one'), big, Buffer.from('two')]) {
      const { tar } = await inflate(bytes);
      expect((await buffer(tar)).equals(bytes)).to.equal(true);
      await file.close();
    }
    await inflate(Buffer.alloc(0));
  });

  it('stops a bomb at the bound, and names it', async () => {
    expect(await said(gzipSync(Buffer.alloc(64 * 1024 ** 2)))).to.match(
      /InvalidParameter: layer of \d+ bytes unpacks to more than 8388608: over 8388608 bytes at most 20 times its size/,
    );
  });

  it('says what is wrong with bad bytes', async () => {
    const packed = gzipSync(big);
    expect(await said(packed.subarray(0, -100))).to.equal('InvalidParameter: unexpected EOF');
  });

  it('says what is wrong with changed bytes', async () => {
    const packed = gzipSync(big);
    packed[packed.length - 6] = (packed[packed.length - 6] ?? 0) ^ 0xff;
    expect(await said(packed)).to.equal('InvalidParameter: gzip: incorrect data check');
  });

  it('gives all streams of xz that stand in a row', async () => {
    const { tar } = await inflate(Buffer.concat([unpacked64(HELLO_XZ), unpacked64(HELLO_XZ)]));
    expect((await buffer(tar)).toString()).to.equal('hellohello');
  });

  it('stops a bomb in xz at the bound', async () => {
    expect(await said(Buffer.concat([unpacked64(BIG_XZ), unpacked64(BIG_XZ)]))).to.match(
      /InvalidParameter: layer of \d+ bytes unpacks to more than 8388608/,
    );
  });

  const damaged = (bytes: Buffer, at: number) => {
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    return bytes;
  };
  for (const [what, bytes, words] of [
    ['that is cut off', () => unpacked64(BIG_XZ).subarray(0, -200), 'unexpected EOF'],
    ['that is cut off in its header', () => unpacked64(HELLO_XZ).subarray(0, 7), 'unexpected EOF'],
    ['with a changed byte', () => damaged(unpacked64(HELLO_XZ), 27), 'xz: invalid data'],
    [
      'with bytes behind it',
      () => Buffer.concat([unpacked64(HELLO_XZ), Buffer.from('and more behind it')]),
      'xz: invalid header',
    ],
    [
      'with a check that is not known',
      () => unpacked64(HELLO_SHA256_XZ),
      'xz: only LZMA2 with CRC32, CRC64 or no check is supported here',
    ],
    ['with a large dictionary', () => unpacked64(HELLO_WIDE_XZ), 'xz: its dictionary is larger than 64 MiB'],
  ] as const) {
    it(`says what is wrong with xz ${what}, and goes on`, async () => {
      expect(await said(bytes())).to.equal(`InvalidParameter: ${words}`);
      await file.close();
      const { tar } = await inflate(unpacked64(HELLO_XZ));
      expect((await buffer(tar)).toString()).to.equal('hello');
    });
  }

  it('refuses what it cannot read', async () => {
    expect(await said(Buffer.from('BZh91AY'))).to.match(
      /InvalidParameter: layer is compressed with bzip2: only gzip, xz.* and no compression are supported here/,
    );
  });

  it('goes on after one that was left in the middle', async () => {
    const first = await inflate(big);
    first.tar.once('data', () => first.tar.destroy());
    expect(await first.digests.catch(String)).to.match(/not read to its end/);
    await file.close();
    const { tar } = await inflate(Buffer.from('next'));
    expect((await buffer(tar)).toString()).to.equal('next');
  });

  it('does not run ahead of who reads it', async () => {
    let read = 0;
    await writeFile(join(folder, 'f'), Buffer.alloc(40 * 1024 ** 2));
    file = await open(join(folder, 'f'));
    const part = { fd: file.fd, offset: 0, size: 40 * 1024 ** 2 };
    const progress = (bytes: number) => {
      read = bytes;
    };
    const { tar } = inflater.inflate(part, { progress });
    await new Promise((resolve) => tar.once('readable', resolve));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(read).to.be.below(12 * 1024 ** 2);
    tar.destroy();
  });
});
