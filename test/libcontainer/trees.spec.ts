import { execFile } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { GantryInit } from '../../drivers/libcontainer/gantry-init.ts';
import { close } from '../../drivers/libcontainer/kernel/descriptors.ts';
import { removeTrees } from '../../drivers/libcontainer/trees.ts';
import { rejection } from '../stand-ins/rejection.ts';

const SCRIPT = `
  import { openSync } from 'node:fs';
  const [init, trees] = process.argv.slice(1);
  const { GantryInit } = await import(init);
  const { removeTrees } = await import(trees);
  const loaded = await GantryInit.load();
  for (let turn = 0; turn < 40; turn++) await removeTrees(loaded, openSync('/tmp'), ['there is no such tree']);
`;
const MODULES = ['gantry-init', 'trees'].map(
  (name) => new URL(`../../drivers/libcontainer/${name}.js`, import.meta.url).href,
);

describe('the removal of a tree', () => {
  it('keeps a program running that has nothing else to do, until it is over', async function () {
    if (process.getuid?.() !== 0) return this.skip();
    this.timeout(60_000);
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT, ...MODULES]);
  });

  it('is of many at once, and one that cannot go keeps no other', async function () {
    if (process.getuid?.() !== 0) return this.skip();
    const folder = await mkdtemp('/tmp/g-trees-');
    const parent = openSync(folder, 'r');
    using init = await GantryInit.load();
    try {
      for (const name of ['first', 'last', 'kept']) await mkdir(join(folder, name, 'below'), { recursive: true });
      await writeFile(join(folder, 'last/below/file'), 'x');
      const error = await rejection(removeTrees(init, parent, ['first', 'x'.repeat(300), 'last']));
      expect(String(error)).to.contain(`${'x'.repeat(300)}: file name too long`);
      expect(await readdir(folder)).to.deep.equal(['kept']);
    } finally {
      close(parent);
      await rm(folder, { recursive: true });
    }
  });
});
