import { mkdtemp, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { newLayerID } from '../../api/ids.ts';
import { VfsDriver } from '../../drivers/graph/vfs.ts';
import { GantryInit } from '../../drivers/libcontainer/gantry-init.ts';
import { describeGraphDriver } from '../contract/graph-driver.ts';
import { inMergedTree } from '../contract/merged-tree.ts';
import { archive, file, folder, hardLink, symlink } from '../stand-ins/tar-forge.ts';

describeGraphDriver('vfs', VfsDriver.open);

describe('a copy that vfs makes', function () {
  this.timeout(60_000);
  let root: string;
  let init: GantryInit;
  let driver: VfsDriver;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    init = await GantryInit.load();
  });
  after(() => init?.[Symbol.dispose]());
  beforeEach(async () => {
    root = await mkdtemp('/tmp/g-graph-');
    driver = await VfsDriver.open(root, init);
  });
  afterEach(async () => {
    await driver.settled();
    await rm(root, { recursive: true, force: true });
  });

  it('has every name, link, owner, mode, time, device and attribute of what it was made from', async () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const pax = {
      'SCHILY.xattr.user.mine': 'yes',
      'SCHILY.xattr.security.capability': capability,
      mtime: '1.000000007',
    };
    const [base, copy] = [newLayerID(), newLayerID()];
    await driver.create(base, null);
    const tar = archive(
      folder('./', { mode: 0o1755, uid: 1, mtime: 11 }),
      folder('d', { mode: 0o2700, gid: 2, mtime: 12 }),
      file('d/f', 'x'.repeat(300_000), { mode: 0o4711, uid: 3, pax }),
      hardLink('h', 'd/f'),
      symlink('l', '/nowhere', { uid: 4, mtime: 13 }),
      { name: 'c', type: '3', device: [1, 3], mode: 0o620, mtime: 14 },
      { name: 'p', type: '6', mtime: 15 },
    );
    await driver.applyDiff(base, Readable.from([tar]));
    await driver.create(copy, base);
    const list =
      "find . -printf '%p %y %m %U %G %T@ %n %s %l\\n' | sort; stat -c %t:%T c; sha256sum < d/f; [ h -ef d/f ]";
    const attributes = 'python3 -c \'import os; print([(n, os.getxattr("h", n)) for n in sorted(os.listxattr("h"))])\'';
    const [was, is] = await Promise.all([base, copy].map((id) => inMergedTree(driver, id, `${list} && ${attributes}`)));
    expect(is).to.equal(was);
    expect(is).to.include('security.capability').and.to.include('./d d 2700 0 2 12.0');
  });
});
