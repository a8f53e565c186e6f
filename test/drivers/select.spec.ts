import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { newLayerID } from '../../api/ids.ts';
import { VfsDriver } from '../../drivers/graph/vfs.ts';
import { GantryInit } from '../../drivers/libcontainer/gantry-init.ts';
import { selectGraphDriver } from '../../drivers/select.ts';

describe('the choice of a graph driver', function () {
  this.timeout(60_000);
  let dataRoot: string;
  let init: GantryInit;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    init = await GantryInit.load();
  });
  after(() => init?.[Symbol.dispose]());
  beforeEach(async () => {
    dataRoot = await mkdtemp('/tmp/g-data-');
  });
  afterEach(async () => await rm(dataRoot, { recursive: true, force: true }));

  const select = (wanted = '') => selectGraphDriver(dataRoot, wanted, init);

  it('falls on overlay2 where nothing speaks against it', async () => {
    expect((await select()).name).to.equal('overlay2');
  });

  it('falls on the one asked for', async () => {
    expect((await select('vfs')).name).to.equal('vfs');
  });

  it('falls on the one that has layers already', async () => {
    const vfs = await VfsDriver.open(join(dataRoot, 'vfs'), init);
    await vfs.create(newLayerID(), null);
    expect((await select()).name).to.equal('vfs');
  });

  it('is not made for the user where two have layers', async () => {
    for (const name of ['vfs', 'overlay2']) await (await select(name)).create(newLayerID(), null);
    const error = await select().catch((failure) => failure);
    expect(error.message).to.equal(
      `error initializing graphdriver: ${dataRoot} contains several valid graphdrivers: overlay2, vfs; ` +
        'Please cleanup or explicitly choose storage driver (-s <DRIVER>)',
    );
    expect((await select('vfs')).name).to.equal('vfs');
  });

  it('falls on vfs where the filesystem cannot hold an overlay, which overlay2 says when asked for', async () => {
    const [lower, upper, work] = await Promise.all(['l', 'u', 'w'].map((name) => mkdtemp(`${dataRoot}-${name}-`)));
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    execFileSync('mount', ['-t', 'overlay', '-o', options, 'g-select', dataRoot]);
    try {
      const error = await select('overlay2').catch((failure) => failure);
      expect(error.message).to.match(/^driver not supported: cannot use overlayfs on the overlayfs filesystem at /);
      expect((await select()).name).to.equal('vfs');
    } finally {
      execFileSync('umount', ['-l', dataRoot]); // the driver has its folder open
      for (const folder of [lower, upper, work]) await rm(folder ?? '', { recursive: true, force: true });
    }
  });

  it('is refused for a driver nobody knows', async () => {
    const error = await select('aufs').catch((failure) => failure);
    expect(error.message).to.equal(
      'error initializing graphdriver: driver not supported: aufs: choose one of overlay2, vfs (-s <DRIVER>)',
    );
  });
});
