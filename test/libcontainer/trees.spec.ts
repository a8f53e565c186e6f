import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const SCRIPT = `
  import { openSync } from 'node:fs';
  const [init, trees] = process.argv.slice(1);
  const { GantryInit } = await import(init);
  const { removeTree } = await import(trees);
  const loaded = await GantryInit.load();
  for (let turn = 0; turn < 40; turn++) await removeTree(loaded, openSync('/tmp'), 'there is no such tree');
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
});
