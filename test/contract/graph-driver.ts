import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { Conflict, InvalidParameter } from '../../api/errors.ts';
import { type LayerID, newLayerID } from '../../api/ids.ts';
import type { GraphDriver } from '../../drivers/graph/driver.ts';
import { GantryInit } from '../../drivers/libcontainer/gantry-init.ts';
import { GANTRY_INIT } from '../native/monitor.ts';
import { archive, type ForgedEntry, file, folder, hardLink, symlink } from '../stand-ins/tar-forge.ts';
import { inMergedTree } from './merged-tree.ts';

/** A driver that lets a test wait until what it removed is gone. */
export type SettlingDriver = GraphDriver & { settled(): Promise<void> };
export type OpenDriver = (root: string, init: GantryInit) => Promise<SettlingDriver>;

/** What every graph driver does. The one that opens it again on the same root is a restart. */
export function describeGraphDriver(name: string, open: OpenDriver): void {
  describe(`the graph driver ${name}`, function () {
    this.timeout(120_000);
    let root: string;
    let init: GantryInit;
    let driver: SettlingDriver;

    before(async function () {
      if (process.getuid?.() !== 0) this.skip();
      init = await GantryInit.load(GANTRY_INIT);
    });
    after(() => init?.[Symbol.dispose]());
    beforeEach(async () => {
      root = await mkdtemp('/tmp/g-graph-');
      driver = await open(join(root, name), init);
    });
    afterEach(async () => {
      await driver.settled();
      await rm(root, { recursive: true, force: true });
    });

    async function layer(parent: LayerID | null, ...entries: readonly ForgedEntry[]): Promise<LayerID> {
      const id = newLayerID();
      await driver.create(id, parent);
      if (entries.length > 0) await driver.applyDiff(id, Readable.from([archive(...entries)]));
      return id;
    }
    const see = (id: LayerID, script: string) => inMergedTree(driver, id, script);
    const names = (id: LayerID) => see(id, 'find . -mindepth 1 | sort');

    describe('layers', () => {
      it('begin empty, with a root that anybody may read', async () => {
        const id = await layer(null);
        expect(await see(id, 'ls -A; stat -c %a:%u:%g .')).to.equal('755:0:0\n');
      });

      it('show what their parents have, and change nothing in them', async () => {
        const base = await layer(
          null,
          file('kept', 'base'),
          file('changed', 'base'),
          folder('sub'),
          file('sub/a', 'a'),
        );
        const top = await layer(base, file('changed', 'top'), file('sub/b', 'b'));
        expect(await see(top, 'cat kept changed sub/a sub/b')).to.equal('basetopab');
        expect(await see(base, 'cat kept changed; ls sub')).to.equal('basebasea\n');
      });

      it('keep what is written into them from one mount to the next', async () => {
        const id = await layer(await layer(null, file('a', 'image')));
        await see(id, 'echo mine > a; mkdir d; echo new > d/b');
        expect(await see(id, 'cat a d/b')).to.equal('mine\nnew\n');
      });

      it('take over the mode and owner of the parent’s root', async () => {
        const base = await layer(null, folder('./', { mode: 0o1777, uid: 5, gid: 6 }));
        expect(await see(await layer(base), 'stat -c %a:%u:%g .')).to.equal('1777:5:6\n');
      });

      it('stand 120 high', async () => {
        let top = await layer(null, file('0', '0'));
        for (let height = 1; height < 120; height++) top = await layer(top, file(`${height}`, `${height}`));
        expect(await see(top, 'ls | wc -l; cat 0 60 119')).to.equal('120\n060119');
      });

      it('of one id are made once', async () => {
        const id = await layer(null, file('a', 'a'));
        const error = await driver.create(id, null).catch((failure) => failure);
        expect(error).to.be.instanceOf(Conflict);
        expect(await see(id, 'cat a')).to.equal('a');
      });

      it('are listed, and told to exist, until they are removed', async () => {
        const id = await layer(null);
        expect(await driver.list()).to.deep.equal([id]);
        expect(await driver.exists(id)).to.equal(true);
        await driver.remove(id);
        expect(await driver.list()).to.deep.equal([]);
        expect(await driver.exists(id)).to.equal(false);
      });

      it('may be removed twice, and their id used again at once', async () => {
        const id = await layer(null, file('old', 'old'));
        await driver.remove(id);
        await driver.remove(id);
        await driver.create(id, null);
        expect(await names(id)).to.equal('');
      });

      it('tell the bytes they hold', async () => {
        const base = await layer(null, file('a', 'x'.repeat(1000)));
        const top = await layer(base);
        expect(await driver.size(top)).to.equal(0);
        await see(top, 'head -c 3000 /dev/zero > b; ln b c; ln -s abc d; mkdir e');
        expect(await driver.size(top)).to.equal(3003);
      });
    });

    describe('an applied diff', () => {
      const apply = async (parent: LayerID | null, ...entries: readonly ForgedEntry[]) => {
        const id = newLayerID();
        await driver.create(id, parent);
        return driver.applyDiff(id, Readable.from([archive(...entries)]));
      };

      it('tells the bytes its files hold', async () => {
        const { size } = await apply(null, file('a', 'x'.repeat(700)), file('b', 'y'), hardLink('c', 'a'));
        expect(size).to.equal(701);
      });

      it('gives files their mode, owner, time and content', async () => {
        const id = await layer(null, file('f', 'text', { mode: 0o4751, uid: 7, gid: 8, mtime: 1_000_000_000 }));
        expect(await see(id, 'stat -c %a:%u:%g:%Y f; cat f')).to.equal('4751:7:8:1000000000\ntext');
      });

      it('gives folders their time though files come into them later', async () => {
        const id = await layer(null, folder('d', { mtime: 1_000_000_000 }), file('d/f', 'x'));
        expect(await see(id, 'stat -c %Y d')).to.equal('1000000000\n');
      });

      it('makes links, devices and pipes', async () => {
        const id = await layer(
          null,
          file('f', 'x'),
          hardLink('hard', 'f'),
          symlink('soft', '/etc/passwd'),
          { name: 'c', type: '3', device: [1, 3], mode: 0o666 },
          { name: 'b', type: '4', device: [7, 300] },
          { name: 'p', type: '6' },
        );
        const script = 'stat -c %h f; [ f -ef hard ] && readlink soft; stat -c %F:%t:%T c b p';
        const devices = 'character special file:1:3\nblock special file:7:12c\nfifo:0:0\n';
        expect(await see(id, script)).to.equal(`2\n/etc/passwd\n${devices}`);
      });

      it('keeps extended attributes and file capabilities', async function () {
        if (!existsSync('/usr/bin/python3')) return this.skip();
        const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
        const pax = { 'SCHILY.xattr.user.mine': 'yes', 'SCHILY.xattr.security.capability': capability };
        const id = await layer(null, file('f', 'x', { pax, uid: 9 }));
        const script =
          'python3 -c \'import os; print([os.getxattr("f", n).hex() for n in sorted(os.listxattr("f"))])\'';
        expect(await see(id, script)).to.equal(`['${capability.toString('hex')}', '796573']\n`);
      });

      it('takes away what a whiteout names', async () => {
        const base = await layer(null, file('a'), file('b'), folder('d'), file('d/x'), file('d/y'));
        const top = await layer(base, file('.wh.a'), file('d/.wh.x'));
        expect(await names(top)).to.equal('./b\n./d\n./d/y\n');
      });

      it('takes away a whole folder, and puts another in its place', async () => {
        const base = await layer(null, folder('d'), file('d/x'), folder('d/e'), file('d/e/y'));
        expect(await names(await layer(base, file('.wh.d')))).to.equal('');
        const replaced = await layer(base, file('.wh.d'), folder('d'), file('d/z'));
        expect(await names(replaced)).to.equal('./d\n./d/z\n');
        const other = await layer(base, folder('d'), file('d/z'), file('.wh.d'));
        expect(await names(other)).to.equal('./d\n./d/z\n');
      });

      it('empties an opaque folder of what was there before, in whatever order', async () => {
        const base = await layer(null, folder('d'), file('d/old'), folder('d/e'), file('d/e/old'));
        const first = await layer(base, folder('d'), file('d/.wh..wh..opq'), file('d/new'));
        expect(await names(first)).to.equal('./d\n./d/new\n');
        const last = await layer(base, folder('d'), file('d/new'), file('d/e/new'), file('d/.wh..wh..opq'));
        expect(await names(last)).to.equal('./d\n./d/e\n./d/e/new\n./d/new\n');
      });

      it('makes an opaque root', async () => {
        const base = await layer(null, file('old'), folder('d'), file('d/old'));
        const top = await layer(base, file('.wh..wh..opq'), file('new'));
        expect(await names(top)).to.equal('./new\n');
        const other = await layer(base, folder('d'), file('d/new'), file('.wh..wh..opq'));
        expect(await names(other)).to.equal('./d\n./d/new\n');
      });

      it('goes through the links that a lower layer has, and keeps its folders as they are', async () => {
        const base = await layer(
          null,
          folder('run', { mode: 0o700, uid: 3 }),
          folder('var'),
          symlink('var/run', '/run'),
          folder('secret', { mode: 0o700, gid: 4, mtime: 1_000_000_000 }),
        );
        const top = await layer(base, file('var/run/x', 'x'), hardLink('var/run/y', '/var/run/x'), file('secret/s'));
        expect(
          await see(top, 'readlink var/run; stat -c %a:%u run; stat -c %h run/x; [ run/x -ef run/y ] && echo same'),
        ).to.equal('/run\n700:3\n2\nsame\n');
        expect(await see(top, 'stat -c %a:%g secret')).to.equal('700:4\n');
      });

      it('replaces a file by a folder, a folder by a file and a link by either', async () => {
        const base = await layer(null, file('f'), folder('d'), file('d/x'), symlink('l', 'd'), symlink('m', '/etc'));
        const top = await layer(
          base,
          folder('f'),
          file('f/in', '1'),
          file('d', '2'),
          folder('l'),
          file('l/in', '3'),
          file('m', '4'),
        );
        expect(await see(top, 'find . -mindepth 1 -type f | sort; cat f/in d l/in m')).to.equal(
          './d\n./f/in\n./l/in\n./m\n1234',
        );
      });

      it('never writes through a hard link into the parent', async () => {
        const base = await layer(null, file('a', 'base'), hardLink('b', 'a'));
        const top = await layer(base, file('b', 'top'));
        expect(await see(top, 'cat a b')).to.equal('basetop');
        expect(await see(base, 'cat a b')).to.equal('basebase');
      });

      it('of a bad archive fails and names the entry', async () => {
        const error = await apply(null, file('good'), file('bad', 'x', { size: 4000 })).catch((failure) => failure);
        expect(error).to.be.instanceOf(InvalidParameter);
        expect(error.message).to.equal('Error processing tar file(exit status 1): bad: unexpected EOF');
      });

      it('ends with the reason of its signal', async () => {
        const id = await layer(null);
        const controller = new AbortController();
        const endless = Readable.from(
          (async function* () {
            yield archive(file('a')).subarray(0, 512);
            controller.abort(new Error('enough'));
            await new Promise(() => {});
          })(),
        );
        const error = await driver.applyDiff(id, endless, controller.signal).catch((failure) => failure);
        expect(error).to.have.property('message', 'enough');
      });

      it('fails with the error of its source', async () => {
        const id = await layer(null);
        const broken = Readable.from(
          (async function* () {
            yield archive(file('a')).subarray(0, 512);
            throw new Error('no more');
          })(),
        );
        const error = await driver.applyDiff(id, broken).catch((failure) => failure);
        expect(error).to.have.property('message', 'no more');
      });
    });

    describe('after a restart', () => {
      it('has its layers', async () => {
        const id = await layer(await layer(null, file('a', 'base')), file('b', 'top'));
        driver = await open(join(root, name), init);
        expect(await see(id, 'cat a b')).to.equal('basetop');
      });
    });
  });
}
