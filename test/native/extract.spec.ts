import { execFileSync } from 'node:child_process';
import { lstat, symlink as makeSymlink, mkdir, readlink, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { SystemFailure } from '../../api/errors.ts';
import {
  archive,
  base256,
  END,
  entry,
  type ForgedEntry,
  file,
  folder,
  hardLink,
  longName,
  paxHeader,
  symlink,
} from '../stand-ins/tar-forge.ts';
import { Extraction } from './extraction.ts';

const INVALID = 'archive/tar: invalid tar header';
const LEADS_OUT = "path leads outside of the archive's root";

/** CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SYS_ADMIN, MKNOD, SETFCAP. */
const CAPABILITIES = [0, 1, 3, 4, 21, 27, 31]
  .reduce((set, bit) => set | (1n << BigInt(bit)), 0n)
  .toString(16)
  .padStart(16, '0');
const NONE = '0'.repeat(16);

describe('gantry-init extract', function () {
  this.timeout(120_000);
  let extraction: Extraction;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });
  beforeEach(async () => {
    extraction = await Extraction.make();
  });
  afterEach(async () => {
    const untouched = await extraction.isUntouchedAround();
    await extraction[Symbol.asyncDispose]();
    expect(untouched, 'what is beside the target').to.equal(true);
  });

  const unpack = (...entries: readonly ForgedEntry[]) => extraction.unpack(archive(...entries));
  const outcome = (...entries: readonly ForgedEntry[]) => extraction.outcome(archive(...entries));
  const inDest = (path: string) => join(extraction.dest, path);

  describe('formats', () => {
    it('reads names of 255 bytes split over prefix and name', async () => {
      const prefix = `${'p'.repeat(75)}/${'q'.repeat(75)}`;
      await unpack(file(`${'n'.repeat(100)}`, 'x', { prefix }));
      expect(await extraction.read(`${prefix}/${'n'.repeat(100)}`)).to.equal('x');
    });

    it('reads GNU’s long names and links', async () => {
      const long = `${'d'.repeat(200)}/${'f'.repeat(200)}`;
      await unpack(
        longName('L', long),
        file('short', 'x', { magic: 'ustar  \0' }),
        longName('K', `/${long}`),
        symlink('link', 'short', { magic: 'ustar  \0' }),
      );
      expect(await extraction.read(long)).to.equal('x');
      expect(await readlink(inDest('link'))).to.equal(`/${long}`);
    });

    it('lets PAX records win over the header', async () => {
      const pax = { path: 'päth', size: '3', uid: '100000', gid: '4294967294', mtime: '1000000000.123456789' };
      await extraction.unpack(archive(file('short', 'abc', { pax, size: 0 })));
      const { uid, gid, mtimeNs } = await lstat(inDest('päth'), { bigint: true });
      expect([uid, gid, mtimeNs]).to.deep.equal([100000n, 4294967294n, 1000000000123456789n]);
      expect(await extraction.read('päth')).to.equal('abc');
    });

    it('reads PAX link targets, and times before 1970', async () => {
      await unpack(symlink('l', 'no', { pax: { linkpath: 'yes', mtime: '-1.25' } }));
      expect(await readlink(inDest('l'))).to.equal('yes');
      expect((await lstat(inDest('l'), { bigint: true })).mtimeNs).to.equal(-1250000000n);
    });

    it('reads base-256 numbers', async () => {
      const numbers = { uid: base256(3_000_000n, 8), gid: base256(4_000_000n, 8), mtime: base256(-5n, 12) };
      await unpack(file('f', 'abc', { ...numbers, size: base256(3n, 12) }));
      const { uid, gid, mtimeMs } = await lstat(inDest('f'));
      expect([uid, gid, mtimeMs]).to.deep.equal([3_000_000, 4_000_000, -5000]);
    });

    it('reads what came before POSIX: no magic, and folders by their slash', async () => {
      await unpack({ name: 'd/', type: '\0', magic: '', mode: 0o755 }, file('d/f', 'x', { type: '\0', magic: '' }));
      expect(await extraction.read('d/f')).to.equal('x');
    });

    it('passes over global records, and over what stands behind the end', async () => {
      const tar = Buffer.concat([
        paxHeader({ comment: 'a commit' }, 'g'),
        archive(file('a')),
        Buffer.alloc(100_000, 7),
      ]);
      expect(await extraction.outcome(tar)).to.equal('unpacked');
      expect(await extraction.names()).to.deep.equal(['a']);
    });

    it('takes an archive that just ends, and an empty one', async () => {
      expect(await extraction.outcome(entry(file('a', 'x')))).to.equal('unpacked');
      expect(await extraction.outcome(Buffer.alloc(0))).to.equal('unpacked');
    });

    it('reads archives that come byte by byte', async () => {
      const tar = archive(folder('d'), file('d/f', 'text', { pax: { path: 'd/g' } }));
      await extraction.unpack(Array.from(tar, (byte) => Buffer.of(byte)));
      expect(await extraction.read('d/g')).to.equal('text');
    });

    it('tells entries and bytes', async () => {
      expect(await unpack(folder('d'), file('d/f', 'abc'), hardLink('g', 'd/f'))).to.include({ entries: 3, bytes: 3 });
    });
  });

  describe('archives that lie', () => {
    const cases: readonly [what: string, tar: Buffer, outcome: string][] = [
      ['a wrong checksum', archive(file('a', '', { checksum: 1 })), INVALID],
      ['a size of nothing but letters', archive(file('a', '', { size: Buffer.from('twelve') })), `a: ${INVALID}`],
      ['a negative size', archive(file('a', '', { size: base256(-1n, 12) })), `a: ${INVALID}`],
      ['a size beyond 64 bits', archive(file('a', '', { size: base256(1n << 80n, 12) })), `a: ${INVALID}`],
      ['a uid beyond 32 bits', archive(file('a', '', { uid: base256(1n << 33n, 8) })), `a: ${INVALID}`],
      ['less data than said', entry(file('a', 'x', { size: 5000 })), 'a: unexpected EOF'],
      ['half a header', entry(file('a')).subarray(0, 300), 'unexpected EOF'],
      ['one zero block and then more', Buffer.concat([Buffer.alloc(512), entry(file('a')), END]), INVALID],
      ['PAX records for nothing', Buffer.concat([paxHeader({ path: 'a' }), END]), 'a: unexpected EOF'],
      [
        'a PAX record longer than its block',
        archive({ name: 'x', type: 'x', data: '99 path=a\n' }, file('b')),
        INVALID,
      ],
      ['a PAX record of length 0', archive({ name: 'x', type: 'x', data: '0 path=a\n' }, file('b')), INVALID],
      ['a PAX record without =', archive({ name: 'x', type: 'x', data: '8 patha\n' }, file('b')), INVALID],
      ['a NUL in a PAX path', archive(file('b', '', { pax: { path: 'a\0b' } })), INVALID],
      ['a PAX size of letters', archive(file('b', '', { pax: { size: 'many' } })), INVALID],
      ['a type nobody knows', archive({ name: 'a', type: 'Z' }), 'a: unhandled tar header type'],
      ['something that is no tar', Buffer.alloc(2048, 'gzip?'), INVALID],
    ];
    for (const [what, tar, expected] of cases) {
      it(`are refused for ${what}`, async () => {
        expect(await extraction.outcome(tar)).to.equal(expected);
        expect(await extraction.names()).to.satisfy((names: string[]) => names.every((name) => name === 'a'));
      });
    }
  });

  describe('paths (A-01)', () => {
    for (const path of ['../x', 'a/../../x', '..', 'a/b/../../../dest-evil/x', './../x']) {
      it(`refuses ${path}`, async () => {
        expect(await outcome(file(path, 'x'))).to.equal(`${path}: ${LEADS_OUT}`);
        expect(await extraction.names()).to.deep.equal([]);
      });
    }

    for (const [path, lands] of [
      ['/abs', 'abs'],
      ['/../x', 'x'],
      ['//a//b', 'a/b'],
      ['a/../b', 'b'],
      ['./a/./b', 'a/b'],
      ['a/b/..', 'a'],
    ] as const) {
      it(`puts ${path} at ${lands}`, async () => {
        await unpack(file(path, 'x'));
        expect(await extraction.read(lands)).to.equal('x');
      });
    }

    it('takes a trailing slash or dot for a folder', async () => {
      await unpack(folder('a/'), folder('b/.'), folder('./', { mode: 0o700 }));
      expect(await extraction.names()).to.deep.equal(['a', 'b']);
      expect((await stat(extraction.dest)).mode & 0o777).to.equal(0o700);
    });

    it('refuses a root that is no folder', async () => {
      expect(await outcome(file('.', 'x'))).to.equal('.: only a folder can be the root');
      expect(await outcome(symlink('a/..', '/etc'))).to.equal('a/..: only a folder can be the root');
    });

    it('ends a name at its NUL', async () => {
      await unpack(file('a\0/../../x', 'x'));
      expect(await extraction.names()).to.deep.equal(['a']);
    });
  });

  describe('links (A-02, A-03)', () => {
    const out = () => join(extraction.base, 'victim');

    it('does not write through a symlink that leads out', async () => {
      const absolute = await outcome(symlink('l', out()), file('l/file', 'owned'));
      expect(absolute).to.equal('unpacked');
      expect(await extraction.read(join(out(), 'file'))).to.equal('owned');
      expect(await outcome(symlink('m', '../victim'), file('m/file', 'owned'))).to.equal('unpacked');
      expect(await extraction.read('victim/file')).to.equal('owned');
    });

    it('does not write through a symlink of the same name', async () => {
      await unpack(symlink('l', join(out(), 'file')), file('l', 'mine'));
      expect((await lstat(inDest('l'))).isFile()).to.equal(true);
    });

    for (const link of ['../victim/file', '../../etc/passwd', 'no/such/file']) {
      it(`refuses a hard link to ${link}`, async () => {
        expect(await outcome(hardLink('h', link), file('h', 'owned'))).to.match(/^h: /);
        expect(await extraction.names()).to.satisfy((names: string[]) => !names.includes('h'));
      });
    }

    it('finds an absolute hard link’s source inside', async () => {
      expect(await outcome(hardLink('h', join(out(), 'file')))).to.equal('h: no such file or directory');
      await unpack(file('etc/passwd', 'inside'), hardLink('h', '/etc/passwd'));
      expect(await extraction.read('h')).to.equal('inside');
    });

    it('links to a symlink, not to where it leads', async () => {
      await unpack(symlink('l', join(out(), 'file')), hardLink('h', 'l'));
      expect((await lstat(inDest('h'))).isSymbolicLink()).to.equal(true);
      await unpack(file('h', 'mine'));
      expect(await extraction.read('h')).to.equal('mine');
    });

    it('follows two, three and four hops inside only', async () => {
      await unpack(
        folder('inner'),
        symlink('inner/up', '..'),
        symlink('inner/up/esc', '../victim'),
        symlink('hop1', 'inner/up/inner/up'),
        symlink('hop2', 'hop1/../..'),
        symlink('hop3', 'hop2/../dest-evil'),
        file('inner/up/esc/file', 'owned'),
        file('hop3/file', 'owned'),
      );
      expect(await extraction.read('victim/file')).to.equal('owned');
      expect(await extraction.read('dest-evil/file')).to.equal('owned');
    });

    it('gives up on links in a circle', async () => {
      expect(await outcome(symlink('a', 'b'), symlink('b', 'a'), file('a/x'))).to.equal(
        'a/x: too many levels of symbolic links',
      );
    });

    it('does not go through a symlink that was there before, or was put in a folder’s place', async () => {
      await makeSymlink(out(), inDest('was'));
      await unpack(
        folder('d'),
        file('d/a', '1'),
        symlink('d', out()),
        file('d/file', 'owned'),
        file('was/file', 'owned'),
      );
      expect(await extraction.read(join(out(), 'file'))).to.equal('owned');
    });

    it('removes a symlink, not what is behind it', async () => {
      await makeSymlink(out(), inDest('l'));
      await unpack(folder('l'), file('.wh.m'));
      await makeSymlink(out(), inDest('m'));
      await unpack(file('.wh.m'), file('l/.wh..wh..opq'));
      expect((await lstat(inDest('l'))).isDirectory()).to.equal(true);
      expect(await extraction.names()).to.not.include('m');
    });

    it('refuses a device in a folder’s place', async () => {
      const device = { name: 'n', type: '3', device: [1, 3] } as const;
      expect(await outcome(device, file('n/x'))).to.equal('n/x: not a directory');
    });
  });

  describe('what real images do (A-04)', () => {
    it('writes through var/run → /run, and finds hard links there', async () => {
      await unpack(folder('run'), folder('var'), symlink('var/run', '/run'));
      await unpack(file('var/run/x', 'x'), hardLink('var/run/y', '/var/run/x'));
      const [x, y] = await Promise.all([stat(inDest('run/x')), stat(inDest('run/y'))]);
      expect(x.ino).to.equal(y.ino);
      expect(await readlink(inDest('var/run'))).to.equal('/run');
    });

    it('makes folders that no entry names', async () => {
      await unpack(file('a/b/c', 'x'));
      expect((await stat(inDest('a/b'))).mode & 0o777).to.equal(0o755);
    });

    it('makes the folder that a link leads to, inside', async () => {
      await unpack(symlink('var/run', '/run/here'), file('var/run/x', 'x'));
      expect(await extraction.read('run/here/x')).to.equal('x');
    });

    it('takes an entry again, and a hard link to itself', async () => {
      await unpack(file('f', '1'), file('f', '2'), hardLink('f', 'f'), hardLink('g', 'f'), hardLink('g', 'f'));
      expect(await extraction.read('g')).to.equal('2');
    });
  });

  describe('attributes (A-05, A-06)', () => {
    it('go to the entry, never through a link', async () => {
      const pax = { 'SCHILY.xattr.user.mine': 'yes' };
      const worst = { mode: 0o4777, uid: 0, mtime: 1, pax };
      await unpack(symlink('l', join(extraction.base, 'victim/file'), worst), hardLink('h', 'l'));
      await unpack(symlink('d', join(extraction.base, 'victim')), folder('d', worst));
      expect((await lstat(inDest('d'))).mode & 0o7777).to.equal(0o4777);
    });

    it('keep set-id bits whoever the owner is', async () => {
      await unpack(file('f', 'x', { mode: 0o6755, uid: 12, gid: 13 }));
      const { mode, uid, gid } = await stat(inDest('f'));
      expect([mode & 0o7777, uid, gid]).to.deep.equal([0o6755, 12, 13]);
    });

    it('do not hang on pipes and devices that are there already', async () => {
      const pipe = { name: 'p', type: '6' };
      await unpack(pipe, file('p', 'x'), pipe, pipe, folder('p'), file('p/in'));
      expect(await extraction.names()).to.deep.equal(['p', 'p/in']);
    });
  });

  describe('bounds (A-07)', () => {
    it('stop an entry that claims 8 EiB at once', async () => {
      const tar = entry(file('huge', '', { size: base256((1n << 63n) - 1n, 12) }));
      expect(await extraction.outcome(tar)).to.equal('huge: archive of more than 1099511627776 bytes');
    });

    it('stop at the bytes and entries that the caller allows', async () => {
      const tar = archive(file('a', 'x'.repeat(600)), file('b', 'x'.repeat(600)));
      expect(await extraction.outcome(tar, { maxBytes: 1000 })).to.equal('b: archive of more than 1000 bytes');
      expect(await extraction.outcome(tar, { maxEntries: 1 })).to.equal('b: archive of more than 1 entries');
    });

    it('stop a path of a mebibyte, whoever carries it', async () => {
      const long = 'x/'.repeat(500_000);
      expect(await outcome(file('a', '', { pax: { path: long } }))).to.match(/: path of more than 4095 bytes$/);
      expect(await outcome(longName('L', long), file('a'))).to.match(/: path of more than 4095 bytes$/);
      expect(await outcome(longName('K', long), symlink('a', 'b'))).to.match(/path of more than 4095 bytes$/);
    });

    it('stop extended headers of more than a mebibyte, in one record or in many', async () => {
      const pax = { comment: 'x'.repeat(1 << 20) };
      expect(await outcome(file('a', '', { pax }))).to.equal('extended header of more than 1048576 bytes');
      const records = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 'v']));
      expect(await outcome(file('a', '', { pax: records }))).to.equal('more than 4096 PAX records');
      const xattrs = Object.fromEntries(
        Array.from({ length: 300 }, (_, index) => [`SCHILY.xattr.user.k${index}`, 'v']),
      );
      expect(await outcome(file('a', '', { pax: xattrs }))).to.equal('more than 256 extended attributes');
    });

    it('stop headers for headers without end', async () => {
      const tar = Buffer.concat([...Array.from({ length: 20 }, () => paxHeader({ path: 'a' })), archive(file('b'))]);
      expect(await extraction.outcome(tar)).to.equal('a: too many extended headers before one entry');
    });

    it('stop names of more than 255 bytes', async () => {
      expect(await outcome(longName('L', `${'n'.repeat(256)}/x`), file('s'))).to.match(/: file name too long$/);
      expect(await outcome(longName('L', 'n'.repeat(256)), file('s'))).to.match(/: file name too long$/);
    });

    it('allow a folder two thousand deep', async () => {
      const deep = 'd/'.repeat(2000);
      expect(await outcome(longName('L', `${deep}f`), file('s', 'x'))).to.equal('unpacked');
    });

    it('do not slow down over a hundred thousand entries', async () => {
      function* many() {
        for (let i = 0; i < 100_000; i++) yield entry(file(`d${i % 300}/${i}`));
      }
      expect((await extraction.unpack(many())).entries).to.equal(100_000);
    });
  });

  describe('sparse files (A-08)', () => {
    it('are refused, old and new', async () => {
      const sparse = 'sparse files are not supported';
      expect(await outcome({ name: 's', type: 'S', data: 'x' })).to.equal(`s: ${sparse}`);
      const map = Array.from({ length: 10_000 }, (_, index) => `${index},1`).join(',');
      expect(await outcome(file('s', '', { pax: { 'GNU.sparse.map': map } }))).to.equal(sparse);
    });
  });

  describe('whiteouts (A-09)', () => {
    for (const name of ['.wh.', '.wh..', '.wh...', 'd/.wh.', 'd/.wh...']) {
      it(`are refused when called ${name}`, async () => {
        await unpack(folder('d'), file('d/x'));
        expect(await outcome(file(name))).to.equal(`${name}: invalid whiteout name`);
        expect(await extraction.names()).to.deep.equal(['d', 'd/x']);
      });
    }

    it('are refused as folders', async () => {
      expect(await outcome(file('.wh./etc'))).to.equal('.wh./etc: whiteout with something in it');
    });

    it('that aufs keeps its books by are passed over', async () => {
      await unpack(file('.wh..wh.aufs'), folder('.wh..wh.plnk'), file('.wh..wh.plnk/1.2'), file('a'));
      expect(await extraction.names()).to.deep.equal(['a']);
    });

    it('act inside, through whatever link', async () => {
      await unpack(symlink('l', '../victim'), folder('victim'), file('victim/file'));
      await unpack(file('l/.wh.file'), file('l/.wh..wh..opq'));
      expect(await extraction.names()).to.deep.equal(['l', 'victim']);
    });

    it('become overlayfs’ own signs', async () => {
      const tar = archive(folder('d'), file('d/.wh..wh..opq'), file('.wh.gone'));
      await extraction.unpack(tar, { whiteouts: 'overlay' });
      const gone = await lstat(inDest('gone'));
      expect([gone.isCharacterDevice(), gone.rdev]).to.deep.equal([true, 0]);
    });

    it('of overlayfs’ own making do not come in by attributes', async () => {
      const names = [
        'trusted.overlay.redirect',
        'trusted.overlay.opaque',
        'trusted.x',
        'user.overlay.opaque',
        'security.x',
      ];
      const pax = Object.fromEntries(names.map((name) => [`SCHILY.xattr.${name}`, '/../../..']));
      const plain = { ...pax, 'SCHILY.xattr.user.mine': 'yes' };
      await unpack(folder('d', { pax: plain }), file('f', '', { pax: plain }));
      const script = 'import os, sys; print(*[os.listxattr(path) for path in sys.argv[1:]])';
      const list = execFileSync('python3', ['-c', script, inDest('d'), inDest('f')], { encoding: 'utf8' });
      expect(list).to.equal("['user.mine'] ['user.mine']\n");
    });
  });

  describe('the same name again and again (A-10)', () => {
    it('is what it was last, like with GNU tar in a chroot', async () => {
      const kinds = [
        file('n', 'x'),
        folder('n'),
        symlink('n', '/'),
        { name: 'n', type: '6' },
        folder('n'),
        file('n/in'),
      ];
      const turns = Array.from({ length: 500 }, () => kinds).flat();
      await unpack(...turns, file('n', 'last'));
      expect(await extraction.names()).to.deep.equal(['n']);
      expect(await extraction.read('n')).to.equal('last');
    });

    it('does not give a folder’s time to what took its place', async () => {
      await unpack(folder('d', { mtime: 5 }), symlink('d', join(extraction.base, 'victim')));
      await unpack(folder('e', { mtime: 5 }), file('e/x'), file('e', 'file', { mtime: 9 }));
      expect((await lstat(inDest('e'))).mtimeMs).to.equal(9000);
    });
  });

  describe('a race (A-11)', () => {
    it('is not won by whoever swaps a folder for a link meanwhile', async () => {
      await mkdir(inDest('swap'));
      const out = join(extraction.base, 'victim');
      await makeSymlink(out, inDest('link'));
      let over = false;
      const racing = (async () => {
        while (!over) {
          await rename(inDest('swap'), inDest('aside')).catch(() => {});
          await rename(inDest('link'), inDest('swap')).catch(() => {});
          await rename(inDest('swap'), inDest('link')).catch(() => {});
          await rename(inDest('aside'), inDest('swap')).catch(() => {});
        }
      })();
      function* many() {
        for (let i = 0; i < 3000; i++) yield entry(file(`swap/${i % 50}/${i}`, 'owned', { mode: 0o4777 }));
      }
      await extraction.outcome(many());
      over = true;
      await racing;
    });
  });

  describe('the process', () => {
    it('can do nothing but work on files, in the tree it was given', async () => {
      const seen = await extraction.watch(entry(folder('d')));
      const filter = process.env['GANTRY_INIT'] === undefined ? '2' : '0'; // sanitizers could not report under one
      expect(seen.status).to.include({ NoNewPrivs: '1', Seccomp: filter });
      expect([seen.status['CapEff'], seen.status['CapPrm'], seen.status['CapBnd']]).to.deep.equal([
        CAPABILITIES,
        CAPABILITIES,
        CAPABILITIES,
      ]);
      expect([seen.status['CapInh'], seen.status['CapAmb']]).to.deep.equal([NONE, NONE]);
      expect(seen.root).to.deep.equal(['d']);
      expect(seen.network).to.not.equal(await readlink('/proc/self/ns/net'));
      expect(seen.descriptors.length).to.be.lessThanOrEqual(6);
    });

    it('tells of a full disk as the host’s failure', async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'g-full', extraction.dest]);
      try {
        const error = await extraction.unpack(archive(file('big', 'x'.repeat(200_000)))).catch((failure) => failure);
        expect(error).to.be.instanceOf(SystemFailure);
        expect(error.message).to.match(/: big: no space left on device$/);
      } finally {
        execFileSync('umount', [extraction.dest]);
      }
    });
  });
});
