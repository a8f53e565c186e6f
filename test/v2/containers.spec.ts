import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { NativeExecDriver } from '../../drivers/exec/native.ts';
import { ExecWorld, type Wishes } from '../contract/exec-world.ts';
import { BASE_SPEC } from '../libcontainer/specs.ts';

const TREE = '/sys/fs/cgroup';
const isPureV2 = existsSync(`${TREE}/cgroup.controllers`);

const own: Wishes = {
  linux: { namespaces: [...BASE_SPEC.linux.namespaces, { type: 'cgroup' }] },
};
/** As --privileged has it: a container that may divide what it has. */
const writable: Wishes = {
  ...own,
  spec: (spec) => ({
    ...spec,
    mounts: spec.mounts.map((each) => ({ ...each, options: each.options.filter((option) => option !== 'ro') })),
  }),
};

describe('a container on cgroup v2', function () {
  this.timeout(60_000);
  let world: ExecWorld;
  before(async function () {
    if (!isPureV2 || process.getuid?.() !== 0) return this.skip();
    world = await ExecWorld.open((execRoot) => NativeExecDriver.open(execRoot));
  });
  afterEach(() => world?.clear());
  after(() => world?.close());

  it('is alone in the tree that it sees', async () => {
    const script = 'cat /proc/self/cgroup; find /sys/fs/cgroup -type d; cat /sys/fs/cgroup/cgroup.type';
    expect(await world.script(script, own)).to.equal('0::/\n/sys/fs/cgroup\ndomain\n');
  });

  it('leaves the options of the host’s tree alone, also when it sees the host’s', async () => {
    const options = async () =>
      (await readFile('/proc/self/mounts', 'utf8')).match(/^\S+ \/sys\/fs\/cgroup cgroup2 .*$/m)?.[0];
    const was = await options();
    const script =
      'grep "^0::" /proc/self/cgroup; test -d /sys/fs/cgroup/system.slice && echo host; mkdir /sys/fs/cgroup/x';
    const seen = await world.script(script);
    expect(seen).to.match(/^0::\/gantry-.*\nhost\nmkdir: .*Read-only file system\n$/);
    await world.script('true', own);
    expect(await options()).to.equal(was);
    expect(was).to.include('nsdelegate');
  });

  it('has every controller that there is, also in a service that was given few', async () => {
    const offered = await readFile(`${TREE}/cgroup.controllers`, 'utf8');
    const given = (await world.script('cat /sys/fs/cgroup/cgroup.controllers', own)).trim().split(' ');
    const known = ['cpuset', 'cpu', 'io', 'memory', 'pids'].filter((name) => offered.includes(name));
    expect(given).to.include.members(known);
  });

  it('is in a tree beside that of the daemon’s own service', async () => {
    const { process, id } = await world.start(['sleep', '60'], own);
    const path = await readFile(`/proc/${process.pid}/cgroup`, 'utf8');
    expect(path).to.equal(`0::${world.cgroupParent}/${id}\n`);
  });

  it('takes one more process when it has given controllers to cgroups of its own', async () => {
    const script =
      'cd /sys/fs/cgroup; mkdir inner; echo 1 > inner/cgroup.procs; echo +pids > cgroup.subtree_control && echo divided; sleep 60';
    const { id, output } = await world.start(['sh', '-c', script], writable);
    await output.until('divided');
    const { stdout, code } = await world.exec(id, ['cat', '/proc/self/cgroup']);
    expect({ stdout, code }).to.deep.equal({ stdout: '0::/inner\n', code: 0 });
  });

  it('is taken away with the cgroups that it has made', async () => {
    const { id, ended } = await world.start(
      ['sh', '-c', 'mkdir -p /sys/fs/cgroup/a/b/c /sys/fs/cgroup/d; exit 3'],
      writable,
    );
    expect((await ended).code).to.equal(3);
    await world.driver.forget(id);
    expect(await world.leftovers()).to.deep.equal([]);
  });
});
