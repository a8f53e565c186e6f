import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { expect } from 'chai';
import type { Operation } from '../../drivers/libcontainer/program.ts';
import { container, Rootfs } from './container.ts';
import { Monitor } from './monitor.ts';

const MEMORY = '/sys/fs/cgroup/memory';

describe('gantry-init and the memory cgroup (v1)', function () {
  this.timeout(60_000);
  const cgroup = `${MEMORY}/gantry-test-${process.pid}`;
  let root: Rootfs;
  before(async function () {
    if (!existsSync(`${MEMORY}/memory.oom_control`)) this.skip();
    root = await Rootfs.make();
  });
  after(async () => {
    await root?.remove();
    await rmdir(cgroup).catch(() => undefined);
  });

  const owner = 'test';
  const limited: readonly Operation[] = [
    { op: 'mkdir', owner, path: cgroup, mode: 0o755, flags: 0 },
    { op: 'write', owner, path: `${cgroup}/memory.limit_in_bytes`, data: '20971520', flags: 0 },
  ];

  async function exit(argv: readonly string[]) {
    const [clone, ...rest] = container({ root, argv });
    if (!clone) throw new Error('no operations');
    const operations: Operation[] = [
      ...limited,
      clone,
      { op: 'write', owner, path: `${cgroup}/tasks`, data: '0', flags: 0 },
      ...rest,
    ];
    await using monitor = await Monitor.start({ operations, options: { oom: `${cgroup}/memory.oom_control` } });
    const exited = await monitor.exited();
    await monitor.over;
    return exited;
  }

  it('tells of a process that was killed for want of memory, and of no other', async () => {
    expect(await exit(['true'])).to.include({ code: 0, oom: false });
    expect(await exit(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=64M', 'count=1'])).to.include({
      code: 137,
      oom: true,
    });
    expect(await exit(['sh', '-c', 'kill -9 $$; exit 1'])).to.include({ code: 1, oom: false });
  });
});
