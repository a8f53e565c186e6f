import { statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { FLAG, type Operation, SLOT } from '../../drivers/libcontainer/program.ts';
import { type ContainerOptions, container, Rootfs } from './container.ts';
import { ATTACH, FRAME, Monitor } from './monitor.ts';

const { SIGTERM, SIGKILL, SIGUSR1 } = constants.signals;
const { EACCES, ENOENT, ENOEXEC, EPERM } = constants.errno;

describe('gantry-init run', function () {
  this.timeout(60_000);
  let root: Rootfs;
  before(async () => {
    root = await Rootfs.make();
    await root.write('plain', 'no program\n');
    await root.write('garbage', 'no program\n', 0o755);
    await root.write('orphan', '#!/no/such/shell\n', 0o755);
  });
  after(async () => await root.remove());

  const shell = (script: string, more: Partial<ContainerOptions> = {}) =>
    container({ root, argv: ['sh', '-c', script], ...more });
  const indexOf = (operations: readonly Operation[], op: Operation['op']) =>
    operations.findIndex((each) => each.op === op);

  async function output(operations: readonly Operation[]): Promise<string> {
    await using monitor = await Monitor.start({ operations, attach: [ATTACH.all] });
    await monitor.exited();
    await monitor.attachments[0]?.ended;
    return `${monitor.attachments[0]?.text()}${monitor.attachments[0]?.text(FRAME.stderr)}`;
  }

  it('starts a process in its namespaces, passes on what it writes, and tells of its end', async () => {
    const operations = shell('hostname; echo $$; ls / | head -3; echo oops >&2; exit 7');
    await using monitor = await Monitor.start({ operations, attach: [ATTACH.all] });
    const started = await monitor.started();
    const exited = await monitor.exited();
    const [attachment] = monitor.attachments;
    await attachment?.ended;
    await monitor.over;
    expect(attachment?.text()).to.equal('inside\n1\nbin\ndev\netc\n');
    expect(attachment?.text(FRAME.stderr)).to.equal('oops\n');
    expect(exited).to.include({ code: 7, signal: 0, oom: false });
    expect(JSON.parse(await monitor.read('exit'))).to.deep.equal(exited);
    expect(started.pid).to.be.greaterThan(1);
    expect(started.ns).to.have.length(operations.length - 1);
    expect(monitor.child.exitCode).to.equal(0);
    expect(await access(path.join(monitor.folder, 'sock')).catch((error) => error.code)).to.equal('ENOENT');
  });

  it('forwards signals, and says 128 + n of what a signal ended', async () => {
    const operations = shell('trap "echo got; exit 3" USR1; echo ready; while :; do sleep 0.05; done');
    await using polite = await Monitor.start({ operations, attach: [ATTACH.all] });
    await polite.attachments[0]?.frame(FRAME.stdout);
    polite.signal(SIGUSR1);
    expect(await polite.exited()).to.include({ code: 3, signal: 0 });
    await using killed = await Monitor.start({ operations, attach: [ATTACH.all] });
    await killed.started();
    killed.signal(SIGKILL);
    expect(await killed.exited()).to.include({ code: 137, signal: SIGKILL, oom: false });
  });

  it('stays when it is asked to go, as only its process ends it', async () => {
    await using monitor = await Monitor.start({
      operations: shell('echo up; cat'),
      options: { stdin: 1 },
      attach: [7],
    });
    await monitor.attachments[0]?.frame(FRAME.stdout);
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR1'] as const) monitor.child.kill(signal);
    monitor.attachments[0]?.send(FRAME.stdin, 'still here\n');
    monitor.attachments[0]?.send(FRAME.closeStdin);
    expect(await monitor.exited()).to.include({ code: 0 });
    await monitor.attachments[0]?.ended;
    expect(monitor.attachments[0]?.text()).to.equal('up\nstill here\n');
  });

  it('takes its process along when it is killed', async () => {
    await using monitor = await Monitor.start({ operations: shell('echo up; sleep 1000') });
    const { pid } = await monitor.started();
    monitor.child.kill('SIGKILL');
    await monitor.over;
    for (;;) {
      const state = await access(`/proc/${pid}`).catch((error) => error.code);
      if (state === 'ENOENT') break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });

  describe('a program that fails', () => {
    async function failure(operations: readonly Operation[]) {
      await using monitor = await Monitor.start({ operations, attach: [ATTACH.all] });
      const failed = await monitor.failed();
      await monitor.control.ended;
      await monitor.attachments[0]?.ended;
      await monitor.over;
      const left = await Promise.all(
        ['exit', 'sock'].map((name) => access(path.join(monitor.folder, name)).catch((error) => error.code)),
      );
      expect(left).to.deep.equal(['ENOENT', 'ENOENT']);
      return failed;
    }

    it('names the operation and the error, before and after clone', async () => {
      const none: Operation = { op: 'open', owner: 'test', slot: 9, path: '/no/such/file', openFlags: 0, flags: 0 };
      expect(await failure(shell('true', { before: [none] }))).to.include({ op: 0, errno: ENOENT });
      const inside = shell('true', { last: [none] });
      expect(await failure(inside)).to.include({ op: indexOf(inside, 'open'), errno: ENOENT });
    });

    const cases: readonly [what: string, argv: string[], errno: number, detail: string][] = [
      ['a command that is nowhere in PATH', ['nope'], ENOENT, 'exec: "nope": executable file not found in $PATH'],
      ['a path that is not there', ['/nope'], ENOENT, 'exec: "/nope": stat /nope: no such file or directory'],
      ['a file that is not executable', ['/plain'], EACCES, 'exec: "/plain": permission denied'],
      ['a folder', ['/bin'], EACCES, 'exec: "/bin": permission denied'],
      ['a program of no known format', ['/garbage'], ENOEXEC, 'exec /garbage'],
      ['a script whose shell is missing', ['/orphan'], ENOENT, 'exec /orphan'],
    ];
    for (const [what, argv, errno, detail] of cases)
      it(`tells of ${what}`, async () => {
        const operations = container({ root, argv });
        expect(await failure(operations)).to.deep.include({ op: operations.length - 1, errno, detail });
      });

    it('tells of one behind --init as well', async () => {
      const operations = container({ root, argv: ['/garbage'], init: true });
      expect(await failure(operations)).to.deep.include({ op: operations.length - 1, errno: ENOEXEC });
    });

    it('tells of one that does not end in execve, or has no clone', async () => {
      expect(await failure(shell('true').slice(0, -1))).to.deep.include({
        op: -1,
        detail: 'the program ends without execve',
      });
      expect(await failure([])).to.deep.include({ op: -1, detail: 'the program has no clone' });
    });
  });

  it('tells of what may fail as a warning, and of what may be missing not at all', async () => {
    const open = (flags: number): Operation => ({
      op: 'open',
      owner: 'test',
      slot: 9,
      path: '/none',
      openFlags: 0,
      flags,
    });
    const operations = shell('exit 0', { before: [open(FLAG.mayFail), open(FLAG.missingOk)] });
    await using monitor = await Monitor.start({ operations });
    expect((await monitor.started()).warnings).to.deep.equal([{ op: 0, errno: ENOENT }]);
    expect(await monitor.exited()).to.include({ code: 0 });
  });

  it('leaves the program nothing but its stdio, a clean signal state and the environment it asked for', async () => {
    const script = 'cd /proc/self/fd; ls; readlink 0; grep -E "^Sig(Blk|Ign|Cgt)|NoNew" /proc/self/status; env';
    const operations = container({ root, argv: ['busybox', 'sh', '-c', script], env: ['PATH=/bin', 'A=b'] });
    const text = await output(operations);
    expect(text.split('\n').filter((line) => /^\d+$/.test(line))).to.deep.equal(['0', '1', '2']);
    expect(text).to.include('/dev/null\n').and.to.include('A=b\n').and.to.include('HOME=/\n');
    expect(
      text
        .split('\n')
        .sort()
        .filter((line) => line.includes('=')),
    ).to.deep.equal(['A=b', 'HOME=/', 'PATH=/bin', 'PWD=/proc/self/fd', 'SHLVL=1', 'OLDPWD=/'].sort());
  });

  it("keeps the host's /dev/null out of reach", async () => {
    const before = statSync('/dev/null');
    const text = await output(shell('chmod 600 /proc/self/fd/0; chown 7 /proc/self/fd/0; stat -c "%a %u" /dev/null'));
    expect(text).to.equal('600 7\n');
    expect(statSync('/dev/null')).to.include({ mode: before.mode, uid: before.uid });
    const without = container({ root, argv: ['cat'] }).filter((each) => each.op !== 'mknod_beneath');
    expect(await output(without)).to.equal('');
  });

  it('stands as init before the program: forwards signals, reaps, and ends as it ends', async () => {
    const script =
      'trap "exit 9" TERM; sh -c "sleep 0.01 &" ; echo $$ $(tr "\\0" " " < /proc/1/cmdline); while :; do sleep 0.05; done';
    const operations = container({ root, argv: ['busybox', 'sh', '-c', script], init: true });
    await using monitor = await Monitor.start({ operations, attach: [ATTACH.all] });
    await monitor.attachments[0]?.frame(FRAME.stdout);
    monitor.signal(SIGTERM);
    expect(await monitor.exited()).to.include({ code: 9, signal: 0 });
    await monitor.attachments[0]?.ended;
    expect(monitor.attachments[0]?.text()).to.match(/^2 \/sbin\/docker-init -- busybox sh/);
  });

  it('makes mount points beneath the root, and follows no link out of it', async () => {
    await root.write('etc/canary', 'inside\n');
    const link: Operation = {
      op: 'symlink_beneath',
      owner: 'test',
      root: SLOT.rootfs,
      path: '/etc/out',
      target: '/../../..',
      flags: 0,
    };
    const write: Operation = {
      op: 'write_beneath',
      owner: 'test',
      root: SLOT.rootfs,
      path: '/etc/out/etc/canary',
      data: 'changed\n',
      mode: 0o644,
      flags: 0,
    };
    const made: Operation = {
      op: 'symlink_beneath',
      owner: 'test',
      root: SLOT.rootfs,
      path: '/etc/out/tmp/a/b/c',
      target: '/etc',
      flags: FLAG.createDir,
    };
    const script = 'cat /etc/canary; stat -c "%a %u %g" /tmp/a /tmp/a/b; readlink /tmp/a/b/c';
    const operations = shell(script, { beneath: [link, write, made] });
    expect(await output(operations)).to.equal('changed\n755 0 0\n755 0 0\n/etc\n');
  });

  it('refuses a /proc that is a link', async () => {
    const other = await Rootfs.make();
    try {
      const bad = container({ root: other, argv: ['true'] });
      const proc = indexOf(bad, 'mount_beneath');
      await Promise.all([import('node:fs/promises')]).then(async ([fs]) => {
        await fs.rmdir(path.join(other.folder, 'proc'));
        await fs.symlink('/tmp', path.join(other.folder, 'proc'));
      });
      await using monitor = await Monitor.start({ operations: bad });
      expect(await monitor.failed()).to.include({
        op: proc,
        detail: 'filesystem "proc" must be mounted on ordinary directory',
      });
    } finally {
      await other.remove();
    }
  });

  it('masks files and folders, and makes paths read-only', async () => {
    const mask = (file: string): Operation => ({ op: 'mask_beneath', owner: 'test', root: SLOT.rootfs, path: file });
    const readonly: Operation = {
      op: 'bind_beneath',
      owner: 'test',
      root: SLOT.rootfs,
      source: '/proc/sys',
      target: '/proc/sys',
      flags: FLAG.readonly | FLAG.recursive,
    };
    const beneath = [mask('/proc/cpuinfo'), mask('/proc/fs'), mask('/proc/irq'), mask('/no/such/path'), readonly];
    const script =
      'wc -c < /proc/cpuinfo; ls /proc/fs /proc/irq | wc -l; echo x > /proc/sys/kernel/hostname; touch /proc/fs/x';
    const text = await output(container({ root, argv: ['busybox', 'sh', '-c', script], beneath }));
    expect(text)
      .to.match(/^0\n3\n/)
      .and.to.match(/hostname: Read-only file system/)
      .and.to.match(/x: Read-only file system/);
  });

  it('mounts an overlay from layers', async () => {
    const upper = await Rootfs.make();
    const base = upper.folder;
    try {
      const fs = await import('node:fs/promises');
      for (const name of ['1', '2', 'diff', 'work', 'merged']) await fs.mkdir(path.join(base, name));
      await fs.writeFile(path.join(base, '1/one'), 'near');
      await fs.writeFile(path.join(base, '2/one'), 'far');
      await fs.writeFile(path.join(base, '2/two'), 'far');
      const overlay: Operation = {
        op: 'overlay',
        owner: 'test',
        base,
        lowers: ['1', '2'],
        upper: 'diff',
        work: 'work',
        options: [],
        target: path.join(base, 'merged'),
        slot: 9,
      };
      const clone: Operation = {
        op: 'bind_beneath',
        owner: 'test',
        root: 9,
        source: '/',
        target: '/sub',
        flags: FLAG.createDir,
      };
      const move: Operation = {
        op: 'attach_beneath',
        owner: 'test',
        slot: 9,
        root: SLOT.rootfs,
        target: '/mnt/over',
        flags: FLAG.createDir,
      };
      expect(clone.op).to.equal('bind_beneath');
      const operations = shell('cat /mnt/over/one /mnt/over/two; echo new > /mnt/over/three', {
        beneath: [overlay, move],
      });
      expect(await output(operations)).to.equal('nearfar');
      expect(await fs.readFile(path.join(base, 'diff/three'), 'utf8')).to.equal('new\n');
    } finally {
      await upper.remove();
    }
  });

  it('makes limits, umask and oom_score_adj hold, and refuses what it may not', async () => {
    const last: readonly Operation[] = [
      { op: 'rlimit', owner: 'test', resource: 7, soft: 77n, hard: 99n, flags: 0 },
      { op: 'umask', owner: 'test', mask: 0o027 },
      { op: 'oom_score_adj', owner: 'test', value: 321, flags: 0 },
      { op: 'no_new_privs', owner: 'test' },
    ];
    const script = 'ulimit -n; ulimit -Hn; umask; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status';
    expect(await output(container({ root, argv: ['busybox', 'sh', '-c', script], last }))).to.equal(
      '77\n99\n0027\n321\nNoNewPrivs:\t1\n',
    );
    expect(EPERM).to.equal(1);
  });
});
