import { execFileSync } from 'node:child_process';
import { closeSync, constants, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { OperationFailed } from '../../api/errors.ts';
import { Beneath } from '../../drivers/libcontainer/kernel/beneath.ts';

describe('beneath a folder', () => {
  let base: string;
  let tree: Beneath;
  beforeEach(async () => {
    base = await mkdtemp('/tmp/g-beneath-');
    await mkdir(join(base, 'root/etc'), { recursive: true });
    await writeFile(join(base, 'secret'), 'outside');
    await writeFile(join(base, 'root/etc/passwd'), 'inside');
    await symlink('/etc', join(base, 'root/absolute'));
    await symlink('../../secret', join(base, 'root/out'));
    tree = await Beneath.open(join(base, 'root'));
  });
  afterEach(async () => {
    tree[Symbol.dispose]();
    await rm(base, { recursive: true, force: true });
  });
  const errnoOf = async (promise: Promise<unknown>) => {
    const error = await promise.catch((failure: unknown) => failure);
    return error instanceof OperationFailed ? error.errno : `no error: ${error}`;
  };

  it('absolute paths, links and dots stay inside', async () => {
    for (const path of ['/etc/passwd', 'absolute/passwd', '../../../etc/passwd', 'etc/../../etc/passwd']) {
      expect((await tree.readFile(path, 100)).toString()).to.equal('inside');
    }
    expect(await errnoOf(tree.readFile('out', 100))).to.equal('ENOENT');
    expect(await errnoOf(tree.readFile('../secret', 100))).to.equal('ENOENT');
  });

  it('links of procfs are not followed', async () => {
    using proc = await Beneath.open('/proc');
    expect(await errnoOf(proc.readFile('self/exe', 1 << 30))).to.equal('ELOOP');
    expect(await errnoOf(proc.openFile('self/root/etc/passwd', constants.O_RDONLY))).to.equal('ELOOP');
  });

  it('only regular files are read, and no more than asked for', async () => {
    execFileSync('mkfifo', [join(base, 'root/pipe')]);
    expect(await errnoOf(tree.readFile('pipe', 100))).to.equal('EINVAL');
    expect(await errnoOf(tree.readFile('etc', 100))).to.equal('EISDIR');
    expect(await errnoOf(tree.readFile('etc/passwd', 5))).to.equal('EFBIG');
  });

  it('files are opened, made, renamed and removed', async () => {
    await tree.mkdir('absolute/new', 0o700);
    const fd = await tree.openFile('etc/new/file', constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    closeSync(fd);
    await tree.rename('etc/new/file', 'moved');
    await tree.rmdir('etc/new');
    expect((await tree.lstat('moved')).mode & 0o777).to.equal(0o600);
    await tree.unlink('moved');
    expect(await errnoOf(tree.stat('moved'))).to.equal('ENOENT');
  });

  it('what is removed or renamed is the link, not what it leads to', async () => {
    await tree.rename('absolute', 'other');
    expect(await tree.readlink('other')).to.equal('/etc');
    await tree.unlink('out');
    expect(readFileSync(join(base, 'secret'), 'utf8')).to.equal('outside');
    expect((await readdir(join(base, 'root'))).sort()).to.deep.equal(['etc', 'other']);
  });

  it('the root itself and its dots cannot be removed', async () => {
    for (const path of ['', '/', '.', 'etc/..', 'etc/.']) expect(await errnoOf(tree.rmdir(path))).to.equal('EINVAL');
  });

  it('stat tells of the link or of what it leads to', async () => {
    expect((await tree.stat('absolute')).mode & 0o170000).to.equal(0o040000);
    const link = await tree.lstat('absolute');
    expect([link.mode & 0o170000, link.size]).to.deep.equal([0o120000, 4]);
    expect(link.mtime > 1_000_000_000n * 1_000_000_000n).to.equal(true);
  });

  it('folders are listed, up to a limit', async () => {
    const entries = await tree.readdir('/', 10);
    expect(entries.sort((a, b) => a.name.localeCompare(b.name))).to.deep.equal([
      { name: 'absolute', kind: 'symlink' },
      { name: 'etc', kind: 'directory' },
      { name: 'out', kind: 'symlink' },
    ]);
    expect(await errnoOf(tree.readdir('/', 2))).to.equal('EFBIG');
  });

  it('what is no link has no target', async () => {
    expect(await errnoOf(tree.readlink('etc'))).to.equal('EINVAL');
  });

  it('a tree’s files are counted once each', async () => {
    await writeFile(join(base, 'root/etc/a'), 'x'.repeat(100));
    execFileSync('ln', [join(base, 'root/etc/a'), join(base, 'root/b')]);
    expect(await tree.treeSize('/')).to.equal(100 + 'inside'.length + '/etc'.length + '../../secret'.length);
  });
});
