import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const SCRIPT = `
  import { openSync } from 'node:fs';
  const { GantryInit } = await import('./dist/drivers/libcontainer/gantry-init.js');
  const { removeTree } = await import('./dist/drivers/libcontainer/trees.js');
  const init = await GantryInit.load();
  for (let turn = 0; turn < 40; turn++) await removeTree(init, openSync('/tmp'), 'there is no such tree');
`;

describe('the removal of a tree', () => {
  it('keeps a program running that has nothing else to do, until it is over', async function () {
    if (process.getuid?.() !== 0) return this.skip();
    this.timeout(60_000);
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT]);
  });
});
