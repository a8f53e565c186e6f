import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { OperationFailed } from '../../api/errors.ts';
import { FLAG, type Operation } from '../../drivers/libcontainer/program.ts';
import { runProgram } from '../../drivers/libcontainer/run-program.ts';

const owner = 'test';

describe('a program run in the daemon', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp('/tmp/g-program-');
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  const mkdirIn = (name: string, flags = 0): Operation => ({
    op: 'mkdir',
    owner,
    path: join(folder, name),
    mode: 0o700,
    flags,
  });

  it('tells the nanoseconds of every operation', async () => {
    const { ns, warnings } = await runProgram([mkdirIn('a'), mkdirIn('b')]);
    expect(await readdir(folder)).to.have.members(['a', 'b']);
    expect(ns).to.have.length(2);
    expect(ns.every((each) => each > 0 && each < 1e9)).to.equal(true);
    expect(warnings).to.deep.equal([]);
  });

  it('says which operation failed, whose it was, and why', async () => {
    const error = await runProgram([mkdirIn('a'), mkdirIn('none/b')]).catch((failure) => failure);
    expect(error).to.be.instanceOf(OperationFailed).with.property('errno', 'ENOENT');
    expect(error.message).to.include('operation 2 of 2').and.to.include('test');
  });

  it('goes on over what may fail, and warns', async () => {
    const { warnings } = await runProgram([mkdirIn('none/b', FLAG.mayFail), mkdirIn('a')]);
    expect(warnings).to.deep.equal([{ op: 0, errno: 2 }]);
    expect(await readdir(folder)).to.deep.equal(['a']);
  });

  it('may not change the process', async () => {
    const before = [process.cwd(), process.umask()];
    const refused: Operation[] = [
      { op: 'unshare', owner, namespaces: 0x0002_0000 },
      { op: 'chdir', owner, path: '/', flags: 0 },
      { op: 'umask', owner, mask: 0 },
      { op: 'no_new_privs', owner },
      { op: 'setsid', owner },
      { op: 'execve', owner, argv: ['/bin/true'], env: [] },
    ];
    for (const operation of refused) {
      const error = await runProgram([operation]).catch((failure) => failure);
      expect(error, operation.op).to.be.instanceOf(OperationFailed);
      expect(error.errno, operation.op).to.match(/NOTSUP/);
    }
    expect([process.cwd(), process.umask()]).to.deep.equal(before);
  });

  it('mounts where nobody sees it when asked to', async function () {
    if (process.getuid?.() !== 0) this.skip();
    for (const name of ['lower', 'merged']) await mkdir(join(folder, name));
    const overlay: Operation = {
      op: 'overlay',
      owner,
      base: folder,
      lowers: ['lower', 'merged'],
      upper: '',
      work: '',
      options: [],
      target: join(folder, 'merged'),
      slot: 8,
    };
    await runProgram([overlay], { privateMounts: true });
    expect(await readFile('/proc/self/mountinfo', 'utf8')).to.not.include(folder);
  });
});
