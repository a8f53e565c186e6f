import { expect } from 'chai';
import { close } from '../../drivers/libcontainer/kernel/descriptors.ts';
import { pidfdOpen } from '../../drivers/libcontainer/kernel/process.ts';
import { type Operation, SLOT } from '../../drivers/libcontainer/program.ts';
import { ALL_CAPABILITIES, CLONE, container, execve, Rootfs } from './container.ts';
import { ATTACH, FRAME, Monitor, type MonitorOptions } from './monitor.ts';

const owner = 'test';
const O_PATH = 0o10000000;
const FIRST_INHERITED = 10;

describe('gantry-init exec', function () {
  this.timeout(60_000);
  let root: Rootfs;
  let init: Monitor;
  let pidfd: number;
  before(async () => {
    root = await Rootfs.make();
    await root.write('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n');
    await root.write('etc/group', 'root:x:0:\nbob:x:1001:\nwheel:x:10:bob\n');
    const operations = container({ root, argv: ['sh', '-c', 'echo up; sleep 1000'] });
    init = await Monitor.start({ operations, attach: [ATTACH.all] });
    const { pid } = await init.started();
    await init.attachments[0]?.frame(FRAME.stdout);
    pidfd = pidfdOpen(pid);
  });
  after(async () => {
    close(pidfd);
    await init[Symbol.asyncDispose]();
    await root.remove();
  });

  function program(argv: readonly string[], more: { tty?: boolean; user?: string; last?: readonly Operation[] } = {}) {
    const all = ALL_CAPABILITIES;
    const namespaces = CLONE.mount | CLONE.uts | CLONE.ipc | CLONE.pid | CLONE.network;
    const operations: Operation[] = [
      { op: 'setns', owner, slot: SLOT.pidfd, namespaces },
      { op: 'open', owner, slot: SLOT.rootfs, path: '/', openFlags: O_PATH, flags: 0 },
      { op: 'setsid', owner },
      ...(more.tty ? [{ op: 'console', owner, root: SLOT.rootfs, height: 11, width: 22 } as const] : []),
      { op: 'lookup_user', owner, root: SLOT.rootfs, user: more.user ?? '', groups: [], gids: [] },
      { op: 'chdir', owner, path: '/', flags: 0 },
      {
        op: 'credentials',
        owner,
        bounding: all,
        permitted: all,
        effective: all,
        inheritable: 0n,
        ambient: 0n,
        flags: 0,
      },
      ...(more.last ?? []),
      execve(argv),
    ];
    return operations;
  }

  function start(operations: readonly Operation[], options: MonitorOptions['options'] = {}): Promise<Monitor> {
    const request = { command: 'exec', operations, attach: [ATTACH.all], inherit: [pidfd] } as const;
    return Monitor.start({ ...request, options: { pidfd: FIRST_INHERITED, ...options } });
  }

  it('runs in all of the container, its pid namespace too', async () => {
    await using monitor = await start(
      program([
        'sh',
        '-c',
        'hostname; ps | grep -c "sleep 1000"; test $$ != 1; readlink /proc/self/ns/pid; readlink /proc/1/ns/pid; exit 8',
      ]),
    );
    const { pid } = await monitor.started();
    expect(pid).to.be.greaterThan(1);
    expect(await monitor.exited()).to.include({ code: 8 });
    await monitor.attachments[0]?.ended;
    const [host, sleepers, mine, theirs] = monitor.attachments[0]?.text().split('\n') ?? [];
    expect([host, Number(sleepers) > 0, mine]).to.deep.equal(['inside', true, theirs]);
  });

  it('takes on a user of the container', async () => {
    await using monitor = await start(
      program(['sh', '-c', 'id; echo $HOME; grep CapEff /proc/self/status'], { user: 'bob' }),
    );
    expect(await monitor.exited()).to.include({ code: 0 });
    await monitor.attachments[0]?.ended;
    expect(monitor.attachments[0]?.text()).to.equal(
      'uid=1000(bob) gid=1001(bob) groups=10(wheel),1001(bob)\n/home/bob\nCapEff:\t0000000000000000\n',
    );
  });

  it('has a terminal of its own', async () => {
    await using monitor = await start(program(['sh', '-c', 'tty; stty size'], { tty: true }), { tty: 1, stdin: 1 });
    expect(await monitor.exited()).to.include({ code: 0 });
    await monitor.attachments[0]?.ended;
    expect(monitor.attachments[0]?.text()).to.match(/^\/dev\/pts\/\d+\r\n11 22\r\n$/);
  });

  it('tells of what failed in the container, and leaves nothing', async () => {
    const operations = program(['nope']);
    await using monitor = await start(operations);
    expect(await monitor.failed()).to.deep.include({ op: operations.length - 1, errno: 2 });
    await monitor.over;
    const unknown = program(['true'], { user: 'ghost' });
    await using other = await start(unknown);
    const detail = 'unable to find user ghost: no matching entries in passwd file';
    expect(await other.failed()).to.deep.include({ op: 3, errno: 22, detail });
  });

  it('passes signals on', async () => {
    await using monitor = await start(
      program(['sh', '-c', 'trap "exit 4" TERM; echo up; while :; do sleep 0.05; done']),
    );
    await monitor.attachments[0]?.frame(FRAME.stdout);
    monitor.signal(15);
    expect(await monitor.exited()).to.include({ code: 4 });
  });

  it('says EXITED when children keep its pipes, whose words still come', async () => {
    await using monitor = await start(program(['sh', '-c', 'echo first; { sleep 1; echo later; } & exit 2']));
    expect(await monitor.exited()).to.include({ code: 2 });
    await monitor.attachments[0]?.frame(FRAME.stdout);
    expect(monitor.attachments[0]?.text()).to.equal('first\n');
    await monitor.attachments[0]?.ended;
    await monitor.over;
    expect(monitor.attachments[0]?.text()).to.equal('first\nlater\n');
  });

  it('leaves the process no descriptor of the host', async () => {
    await using monitor = await start(program(['sh', '-c', 'ls -l /proc/self/fd; readlink /proc/self/cwd']));
    await monitor.exited();
    await monitor.attachments[0]?.ended;
    const text = monitor.attachments[0]?.text() ?? '';
    const targets = [...text.matchAll(/(\d+) -> (.*)/g)].map(
      ([, fd, target]) => `${fd} ${target?.replace(/\d+/g, 'N')}`,
    );
    expect(targets).to.deep.equal(['0 /dev/null', '1 pipe:[N]', '2 pipe:[N]']);
    expect(text.trim().endsWith('\n/')).to.equal(true);
  });
});
