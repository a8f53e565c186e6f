import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { InvalidParameter } from '../../api/errors.ts';
import { newLayerID } from '../../api/ids.ts';
import { Overlay2Driver } from '../../drivers/graph/overlay2.ts';
import { GantryInit } from '../../drivers/libcontainer/gantry-init.ts';
import { describeGraphDriver } from '../contract/graph-driver.ts';

describeGraphDriver('overlay2', Overlay2Driver.open);

describe('overlay2 on disk', function () {
  this.timeout(60_000);
  let root: string;
  let init: GantryInit;
  let driver: Overlay2Driver;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    init = await GantryInit.load();
  });
  after(() => init?.[Symbol.dispose]());
  beforeEach(async () => {
    root = await mkdtemp('/tmp/g-graph-');
    driver = await Overlay2Driver.open(root, init);
  });
  afterEach(async () => {
    await driver.settled();
    await rm(root, { recursive: true, force: true });
  });

  it('lets nobody but its owner in', async () => {
    await driver.create(newLayerID(), null);
    expect((await stat(root)).mode & 0o777).to.equal(0o700);
  });

  it('leaves no mount behind, nor what it tried overlayfs with', async () => {
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    expect(mounts).to.not.include(root);
    expect(await readdir(root)).to.deep.equal(['empty']);
  });

  it('gives paths relative to its root, nearest layer first', async () => {
    const [base, middle, top] = [newLayerID(), newLayerID(), newLayerID()];
    await driver.create(base, null);
    await driver.create(middle, base);
    await driver.create(top, middle);
    const [operation] = await driver.rootfs(top, '/target', 8);
    expect(operation).to.include({ op: 'overlay', base: root, upper: `${top}/diff`, work: `${top}/work`, slot: 8 });
    expect(operation).to.deep.include({ lowers: [`${middle}/diff`, `${base}/diff`] });
    expect(await driver.metadata(top)).to.deep.equal({
      LowerDir: `${root}/${middle}/diff:${root}/${base}/diff`,
      MergedDir: `${root}/${top}/merged`,
      UpperDir: `${root}/${top}/diff`,
      WorkDir: `${root}/${top}/work`,
    });
  });

  it('deletes at its start what a crash left half made and half removed', async () => {
    const id = newLayerID();
    await driver.create(id, null);
    for (const name of [`.making-${newLayerID()}-00000000`, `.removing-${newLayerID()}-00000000`, '.making-probe-x']) {
      await mkdir(join(root, name, 'diff/deep/er'), { recursive: true });
      await writeFile(join(root, name, 'diff/deep/file'), 'x');
    }
    const again = await Overlay2Driver.open(root, init);
    await again.settled();
    expect((await readdir(root)).sort()).to.deep.equal([id, 'empty'].sort());
    expect(await again.list()).to.deep.equal([id]);
  });

  it('deletes a removed layer’s files behind the answer', async () => {
    const id = newLayerID();
    await driver.create(id, null);
    await mkdir(join(root, id, 'diff/a/b'), { recursive: true });
    await driver.remove(id);
    await driver.settled();
    expect(await readdir(root)).to.deep.equal(['empty']);
  });

  it('refuses more layers than an overlay can hold', async () => {
    let parent = newLayerID();
    await driver.create(parent, null);
    const stack = async () => {
      for (let height = 0; height < 130; height++) {
        const id = newLayerID();
        await driver.create(id, parent);
        parent = id;
      }
    };
    const error = await stack().catch((failure) => failure);
    expect(error).to.be.instanceOf(InvalidParameter).with.property('message', 'max depth exceeded');
  });

  it('leaves nothing of a layer whose parent is not there', async () => {
    const error = await driver.create(newLayerID(), newLayerID()).catch((failure) => failure);
    expect(error).to.be.instanceOf(Error);
    await driver.settled();
    expect(await readdir(root)).to.deep.equal(['empty']);
  });

  it('tells of itself as docker info wants it', async () => {
    const labels = (await driver.status()).map(([label]) => label);
    expect(labels).to.deep.equal([
      'Backing Filesystem',
      'Supports d_type',
      'Using metacopy',
      'Native Overlay Diff',
      'userxattr',
    ]);
  });
});
