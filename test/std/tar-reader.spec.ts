import { expect } from 'chai';
import { type TarEntry, tarOf } from '../../scripts/image-archive.ts';
import { readTar } from '../../std/tar-reader.ts';

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function listed(bytes: Buffer, size = 1000, read = true): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, type, linkname, size: length, body } of readTar(pieces(bytes, size))) {
    const chunks: Buffer[] = [];
    if (read) for await (const chunk of body) chunks.push(chunk);
    found.push([type, name, linkname, length, Buffer.concat(chunks).toString()].join('|'));
  }
  return found;
}

const ENTRIES: readonly TarEntry[] = [
  { name: 'd/', type: 'directory' },
  { name: 'd/f', content: 'hello' },
  { name: 'l', type: 'symlink', linkname: 'd/f' },
  { name: 'h', type: 'link', linkname: 'd/f' },
  { name: `${'long/'.repeat(60)}name-ü`, content: 'long' },
  { name: 'c', type: 'character-device', devmajor: 1, devminor: 3 },
  { name: 'e', content: '' },
  { name: 'b', content: 'x'.repeat(1024) },
];

describe('readTar', () => {
  for (const size of [1, 511, 512, 513, 100_000]) {
    it(`reads entries that come ${size} bytes at a time`, async () => {
      expect(await listed(await tarOf(ENTRIES), size)).to.deep.equal([
        'directory|d/||0|',
        'file|d/f||5|hello',
        'symlink|l|d/f|0|',
        'link|h|d/f|0|',
        `file|${'long/'.repeat(60)}name-ü||4|long`,
        'other|c||0|',
        'file|e||0|',
        `file|b||1024|${'x'.repeat(1024)}`,
      ]);
    });
  }

  it('passes over bodies that nobody reads', async () => {
    expect(await listed(await tarOf(ENTRIES), 700, false)).to.have.length(ENTRIES.length);
  });

  it('ends where the archive does, with or without its last blocks', async () => {
    const whole = await tarOf([{ name: 'f', content: 'x' }]);
    expect(await listed(whole.subarray(0, 1024))).to.deep.equal(['file|f||1|x']);
    expect(await listed(Buffer.alloc(0))).to.deep.equal([]);
  });

  it('fails at every place where it is cut off', async () => {
    const whole = (await tarOf(ENTRIES)).subarray(0, -1024);
    for (let cut = 1; cut < whole.length; cut += 97) {
      if (cut % 512 === 0) continue;
      const said = await listed(whole.subarray(0, cut)).then(
        () => 'it worked',
        (error: unknown) => String(error),
      );
      expect(said, `cut at ${cut}`).to.match(/unexpected EOF/);
    }
  });

  it('refuses every header with one wrong bit', async () => {
    const whole = await tarOf([{ name: 'f', content: 'x' }]);
    for (let at = 0; at < 512; at += 7) {
      const bad = Buffer.from(whole);
      bad[at] = (bad[at] ?? 0) ^ 0x01;
      const said = await listed(bad).then(
        () => 'it worked',
        (error: unknown) => String(error),
      );
      expect(said, `bit in byte ${at}`).to.match(/invalid tar header/);
    }
  });
});
