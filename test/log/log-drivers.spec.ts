import { rename, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { LogDriver } from '../../drivers/log/driver.ts';
import { jsonFile } from '../../drivers/log/json-file.ts';
import { local } from '../../drivers/log/local.ts';
import { asJson, asLocal, type Entry, entry, LogFolder, readAll, SECOND, START } from './log-files.ts';

const DRIVERS: readonly { driver: LogDriver; encode: (entry: Entry) => Buffer }[] = [
  { driver: jsonFile, encode: asJson },
  { driver: local, encode: asLocal },
];

const lines = (entries: readonly Entry[]): string[] => entries.map(({ line }) => line);
const numbered = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from }, (_, index) => entry(`line ${from + index}\n`, from + index));

for (const { driver, encode } of DRIVERS) {
  describe(`log driver ${driver.name}`, () => {
    let folder: LogFolder;
    const append = (entries: readonly Entry[]) => folder.append(...entries.map(encode));

    beforeEach(async () => {
      folder = await LogFolder.make();
    });
    afterEach(() => folder[Symbol.asyncDispose]());

    it('gives back what was written, byte for byte', async () => {
      const written = [
        entry('hello\n'),
        entry('to stderr\n', 1, 'stderr'),
        entry('quotes " and \\ and \t\r\u0001\u007f\n', 2),
        entry('Grüße, 世界, 🦫, \u2028\n', 3),
        entry('no newline', 4),
        entry('\n', 5),
      ];
      await append(written);
      expect(await readAll(driver, folder.path)).to.deep.equal(written);
    });

    it('reads nothing from a log that is not there yet', async () => {
      expect(await readAll(driver, folder.path)).to.deep.equal([]);
      expect(await readAll(driver, folder.path, { follow: true })).to.deep.equal([]);
    });

    for (const count of [0, 1, 3, 9999, 10_000, 20_000]) {
      it(`finds the last ${count} of 10000 entries over three files`, async () => {
        await append(numbered(0, 3000));
        await rename(folder.path, `${folder.path}.2`);
        await append(numbered(3000, 9998));
        await rename(folder.path, `${folder.path}.1`);
        await append(numbered(9998, 10_000));
        const found = await readAll(driver, folder.path, { tail: count });
        expect(lines(found)).to.deep.equal(lines(numbered(Math.max(0, 10_000 - count), 10_000)));
      });
    }

    it('keeps to since and until', async () => {
      await append(numbered(0, 20_000));
      const found = await readAll(driver, folder.path, {
        since: START + 12_345n * SECOND,
        until: START + 12_350n * SECOND + 1n,
      });
      expect(lines(found)).to.deep.equal(lines(numbered(12_345, 12_351)));
    });

    it('counts the tail before it looks at the time', async () => {
      await append(numbered(0, 10));
      const found = await readAll(driver, folder.path, { tail: 5, since: START + 8n * SECOND });
      expect(lines(found)).to.deep.equal(['line 8\n', 'line 9\n']);
    });

    it('passes over an entry that a power cut has torn, and reads what was written after it', async () => {
      await append(numbered(0, 3));
      await folder.append(encode(entry('torn away\n')).subarray(0, 16));
      await append(numbered(3, 6));
      expect(lines(await readAll(driver, folder.path))).to.deep.equal(lines(numbered(0, 6)));
    });

    it('reads up to a torn end', async () => {
      await append(numbered(0, 3));
      await folder.append(encode(entry('torn away\n')).subarray(0, 16));
      expect(lines(await readAll(driver, folder.path))).to.deep.equal(lines(numbered(0, 3)));
      expect(lines(await readAll(driver, folder.path, { tail: 2 }))).to.deep.equal(lines(numbered(1, 3)));
    });

    it('passes over damage', async () => {
      await append(numbered(0, 3));
      await folder.append(Buffer.alloc(4096), Buffer.from('\n%%% no entry at all %%%\n{"log":"x"}\n'));
      await append(numbered(3, 6));
      expect(lines(await readAll(driver, folder.path))).to.deep.equal(lines(numbered(0, 6)));
    });

    it('survives a file of noise', async () => {
      const noise = Buffer.alloc(300_000);
      for (let at = 0, seed = 1; at < noise.length; at++) {
        seed = (seed * 48_271) % 2_147_483_647;
        noise[at] = seed & 0xff;
      }
      await writeFile(folder.path, noise);
      await append(numbered(0, 1));
      expect(lines(await readAll(driver, folder.path)).at(-1)).to.equal('line 0\n');
      expect(lines(await readAll(driver, folder.path, { tail: 1 }))).to.deep.equal(['line 0\n']);
    });

    it('follows what comes, over rotations, until the container has ended', async () => {
      await append(numbered(0, 10));
      let end: (value?: unknown) => void = () => {};
      const ended = new Promise((resolve) => {
        end = resolve;
      });
      let written = 10;
      const found = await readAll(driver, folder.path, {
        follow: true,
        tail: 5,
        ended,
        onRead: async (entries) => {
          if (entries.length !== written - 5) return;
          if (written === 1000) return end();
          await append(numbered(written, written + 5));
          await rename(folder.path, `${folder.path}.1`);
          await append(numbered(written + 5, written + 10));
          written += 10;
        },
      });
      expect(lines(found)).to.deep.equal(lines(numbered(5, 1000)));
    });

    it('reads to the end what was there when the container ended', async () => {
      await append(numbered(0, 5000));
      const found = await readAll(driver, folder.path, { follow: true, ended: Promise.resolve() });
      expect(found).to.have.length(5000);
    });

    it('begins to follow before there is a file', async () => {
      let end: (value?: unknown) => void = () => {};
      const ended = new Promise((resolve) => {
        end = resolve;
      });
      const reading = readAll(driver, folder.path, { follow: true, ended, onRead: () => end() });
      await append(numbered(0, 1));
      expect(lines(await reading)).to.deep.equal(['line 0\n']);
    });

    it('stops following when the caller goes', async () => {
      await append(numbered(0, 3));
      const caller = new AbortController();
      const found = await readAll(driver, folder.path, {
        follow: true,
        ended: new Promise(() => {}),
        signal: caller.signal,
        onRead: () => caller.abort(),
      });
      expect(found).to.have.length(3);
    });

    it('stops following at until, though nothing comes', async () => {
      const found = await readAll(driver, folder.path, {
        follow: true,
        ended: new Promise(() => {}),
        until: BigInt(Date.now() + 50) * 1_000_000n,
      });
      expect(found).to.deep.equal([]);
    });

    it('goes on at the beginning of a file that was emptied', async () => {
      await append(numbered(0, 3));
      let end: (value?: unknown) => void = () => {};
      const ended = new Promise((resolve) => {
        end = resolve;
      });
      const found = await readAll(driver, folder.path, {
        follow: true,
        ended,
        onRead: async (entries) => {
          if (entries.length !== 3) return end();
          await writeFile(folder.path, encode(entry('again\n')));
        },
      });
      expect(lines(found)).to.deep.equal([...lines(numbered(0, 3)), 'again\n']);
    });
  });
}

describe('json-file entries', () => {
  const cases: readonly (readonly [what: string, text: string, line: string])[] = [
    ['attributes', '{"log":"a\\n","stream":"stdout","attrs":{"tag":"x"},"time":"2024-05-01T10:00:00Z"}', 'a\n'],
    ['another order', '{"time":"2024-05-01T10:00:00Z","stream":"stdout","log":"a\\n"}', 'a\n'],
    [
      'every escape',
      '{"log":"\\b\\f\\t\\r\\/\\u003c\\u00e9\\n","stream":"stdout","time":"2024-05-01T10:00:00Z"}',
      '\b\f\t\r/<é\n',
    ],
    ['a pair', '{"log":"\\ud83e\\uddab","stream":"stdout","time":"2024-05-01T10:00:00Z"}', '🦫'],
    ['half a pair', '{"log":"\\ud83e!","stream":"stdout","time":"2024-05-01T10:00:00Z"}', '\ufffd!'],
    ['an offset', '{"log":"a","stream":"stdout","time":"2024-05-01T12:00:00+02:00"}', 'a'],
  ];
  for (const [what, text, line] of cases) {
    it(`may have ${what}`, async () => {
      await using folder = await LogFolder.make();
      await folder.append(`${text}\n`);
      expect(await readAll(jsonFile, folder.path)).to.deep.equal([entry(line)]);
    });
  }
});
