import { closeSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { OperationFailed } from '../../api/errors.ts';
import { close, closing, open, sealedFile, tryLock } from '../../drivers/libcontainer/kernel/descriptors.ts';
import { ended, spawn } from '../../drivers/libcontainer/kernel/process.ts';

describe('descriptors', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp('/tmp/g-fd-');
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  it('fail with the name of the call, its arguments and errno', () => {
    const path = join(folder, 'none');
    expect(() => open(path, constants.O_RDONLY))
      .to.throw(OperationFailed, `open(${path}, 0): ENOENT`)
      .with.property('errno', 'ENOENT');
    expect(() => close(1_000_000)).to.throw(OperationFailed, 'EBADF');
  });

  it('are not inherited', async () => {
    const fd = open(folder, constants.O_RDONLY);
    using _fd = closing(fd);
    const argv = ['sh', '-c', `[ ! -e /proc/self/fd/${fd} ]`];
    const { pidfd } = await spawn({ executable: '/bin/sh', argv, env: [], fds: [null, null, null] });
    expect(await ended(pidfd)).to.deep.equal({ kind: 'exited', code: 0 });
  });

  it('lock a file for one at a time', () => {
    const path = join(folder, 'lock');
    const flags = constants.O_RDWR | constants.O_CREAT;
    const [first, second] = [open(path, flags), open(path, flags)];
    expect(tryLock(first)).to.equal(true);
    expect(tryLock(second)).to.equal(false);
    close(first);
    expect(tryLock(second)).to.equal(true);
    close(second);
  });

  it('of sealed files can be read and not written', () => {
    const fd = sealedFile('program', Buffer.from('bytes'));
    expect(readFileSync(fd, 'utf8')).to.equal('bytes');
    expect(() => writeFileSync(`/proc/self/fd/${fd}`, 'x')).to.throw('EPERM');
    closeSync(fd);
  });
});
