import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeAtomic } from '../../std/atomic-file.ts';
import { rejection } from '../stand-ins/rejection.ts';

describe('atomic file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp('/tmp/g-');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is replaced whole, and leaves nothing else behind', async () => {
    const path = join(folder, 'config.json');
    await writeAtomic(path, 'one');
    await writeAtomic(path, Buffer.from('two'));
    expect(await readFile(path, 'utf8')).to.equal('two');
    expect(await readdir(folder)).to.deep.equal(['config.json']);
  });

  it('is the owner’s alone unless said otherwise', async () => {
    const path = join(folder, 'secret');
    await writeAtomic(path, 'x');
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('has one of the contents when several write at once, never a mixture', async () => {
    const path = join(folder, 'config.json');
    const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
    await Promise.all(contents.map((content) => writeAtomic(path, content)));
    expect(contents).to.include(await readFile(path, 'utf8'));
    expect(await readdir(folder)).to.deep.equal(['config.json']);
  });

  it('leaves no temporary file when it cannot be written', async () => {
    await mkdir(join(folder, 'taken'));
    expect(await rejection(writeAtomic(join(folder, 'taken'), 'x'))).to.have.property('code');
    expect(await readdir(folder)).to.deep.equal(['taken']);
    await rejection(writeAtomic(join(folder, 'none', 'x'), 'x'));
  });
});
