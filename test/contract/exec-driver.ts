import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { capabilitiesFor } from '../../api/capabilities.ts';
import { CommandNotExecutable, CommandNotFound, EngineError, InvalidParameter, NotRunning } from '../../api/errors.ts';
import { DEFAULT_SECCOMP_PROFILE } from '../../api/seccomp-default.ts';
import { resolveSeccompProfile } from '../../api/seccomp-profile.ts';
import { HostNetwork } from '../../drivers/network/host.ts';
import { BASE_SPEC, mount } from '../libcontainer/specs.ts';
import { capabilities, type Driver, ExecWorld, type Wishes } from './exec-world.ts';

const MEBIBYTE = 1024 * 1024;
/** Of this machine: without v1 the tree itself is what a container sees. */
const isPureV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
const SIGKILL = 9;
const SIGTERM = 15;

/** What every exec driver does. `make` gives one on an exec-root; a later one on the same exec-root finds what was left. */
export function execDriverContract(make: (execRoot: string) => Promise<Driver>, has = { limits: true }): void {
  const withLimits = has.limits ? it : it.skip;
  let world: ExecWorld;
  before(async () => {
    world = await ExecWorld.open(make);
  });
  afterEach(async () => {
    await world.clear();
    expect(await world.leftovers()).to.deep.equal([]);
  });
  after(() => world.close());

  const resources = (change: object): Wishes => ({
    linux: {
      resources: { ...BASE_SPEC.linux.resources, ...change },
      namespaces: [...BASE_SPEC.linux.namespaces, ...(isPureV2 ? [{ type: 'cgroup' } as const] : [])],
    },
  });
  const memory = (limit: number) => resources({ memory: { ...BASE_SPEC.linux.resources.memory, limit, swap: limit } });
  const filtered: Wishes = {
    linux: {
      seccomp: resolveSeccompProfile(DEFAULT_SECCOMP_PROFILE, {
        arch: process.arch,
        capabilities: capabilitiesFor([], [], false),
        kernel: '6.1',
      }),
    },
  };
  /** Fails unless `work` fails with an EngineError. */
  async function failure(work: Promise<unknown>): Promise<EngineError> {
    try {
      await work;
    } catch (error) {
      if (error instanceof EngineError) return error;
      throw error;
    }
    throw new Error('did not fail');
  }

  describe('a process', () => {
    it('ends with its exit code', async () => {
      expect((await world.run(['sh', '-c', 'exit 0'])).code).to.equal(0);
      expect((await world.run(['sh', '-c', 'exit 42'])).code).to.equal(42);
    });

    it('ends with 128 and the signal that killed it', async () => {
      const { process, ended } = await world.start(['sleep', '60']);
      process.signal(SIGKILL);
      expect((await ended).code).to.equal(137);
    });

    it('gets signals that it handles', async () => {
      const { process, output, ended } = await world.start([
        'sh',
        '-c',
        'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done',
      ]);
      await output.until('ready');
      process.signal(SIGTERM);
      expect((await ended).code).to.equal(7);
    });

    it('forgives a signal after its end', async () => {
      const { process, ended } = await world.start(['true']);
      await ended;
      process.signal(SIGKILL);
      process.resize(10, 10);
    });

    it('tells when it started and ended, and its pid on the host', async () => {
      const { process, ended } = await world.start(['sleep', '60']);
      expect(process.startedAt).to.match(/^20\d\d-.*Z$/);
      const status = await readFile(`/proc/${process.pid}/status`, 'utf8');
      expect(status).to.match(/^NSpid:\t\d+\t1$/m);
      process.signal(SIGKILL);
      expect((await ended).at >= process.startedAt).to.equal(true);
    });

    it('has its arguments, environment and working directory', async () => {
      const { stdout } = await world.run(['sh', '-c', 'echo "$0|$1|$X|$(pwd)"', 'a b', 'c"d'], {
        process: { env: ['PATH=/bin', 'X=y z'], cwd: '/tmp' },
      });
      expect(stdout).to.equal('a b|c"d|y z|/tmp\n');
    });

    it('finds its working directory made where it is missing', async () => {
      expect(await world.script('pwd; ls -ld . | head -c 10', { process: { cwd: '/made/for/it' } })).to.equal(
        '/made/for/it\ndrwxr-xr-x',
      );
    });

    it('has the hostname asked for, as pid 1', async () => {
      expect(await world.script('hostname; echo $$')).to.equal('c0ffeec0ffee\n1\n');
    });

    it('has no descriptors but its stdio, and no way out by them', async () => {
      const listing = await world.script('ls /proc/1/fd; readlink /proc/1/cwd; readlink /proc/1/root');
      expect(listing).to.equal('0\n1\n2\n/\n/\n');
    });

    it('has a home of its user, a umask and no ambient power', async () => {
      expect(await world.script('echo $HOME; umask; grep CapAmb /proc/self/status')).to.equal(
        '/root\n0022\nCapAmb:\t0000000000000000\n',
      );
    });

    it('can have an init in front that reaps what it leaves', async () => {
      const wishes = { init: true };
      const script =
        '(sleep 0.1 &) ; sleep 0.4; grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null; cat /proc/1/comm; exit 3';
      const result = await world.run(['sh', '-c', script], wishes);
      expect(result.stdout).to.equal('docker-init\n');
      expect(result.code).to.equal(3);
    });

    it('gets signals through its init', async () => {
      const script = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done';
      const { process, output, ended } = await world.start(['sh', '-c', script], { init: true });
      await output.until('ready');
      process.signal(SIGTERM);
      expect((await ended).code).to.equal(9);
    });
  });

  describe('stdio', () => {
    it('keeps stdout and stderr apart', async () => {
      const { stdout, stderr } = await world.run(['sh', '-c', 'echo out; echo err >&2']);
      expect([stdout, stderr]).to.deep.equal(['out\n', 'err\n']);
    });

    it('misses nothing of a process that ends at once', async () => {
      const { stdout } = await world.run(['head', '-c', '300000', '/dev/zero']);
      expect(stdout).to.have.lengthOf(300_000);
    });

    it('carries stdin until it is closed', async () => {
      const { attachment, ended } = await world.start(['cat'], { stdin: true });
      attachment.writeStdin(Buffer.from('one '));
      attachment.writeStdin(Buffer.from('two'));
      attachment.closeStdin();
      expect((await ended).stdout).to.equal('one two');
    });

    it('carries more stdin than any buffer holds', async () => {
      const { attachment, ended } = await world.start(['wc', '-c'], { stdin: true });
      const chunk = Buffer.alloc(64 * 1024, 'x');
      for (let count = 0; count < 64; count++) {
        if (!attachment.writeStdin(chunk)) await new Promise((resolve) => attachment.connection.once('drain', resolve));
      }
      attachment.closeStdin();
      expect((await ended).stdout.trim()).to.equal(String(64 * chunk.length));
    });

    it('has no stdin where none is kept open', async () => {
      expect(await world.script('cat; echo end')).to.equal('end\n');
    });

    it('can be attached to later, and left', async () => {
      const { process, output, ended } = await world.start(['sh', '-c', 'echo ready; read line; echo "got $line"'], {
        stdin: true,
      });
      await output.until('ready');
      const late = await process.attach({ stdin: true, stdout: true, stderr: true });
      late.writeStdin(Buffer.from('hello\n'));
      await output.until('got hello');
      late.detach();
      expect((await ended).code).to.equal(0);
    });

    it('cannot be attached to after the end', async () => {
      const { process, ended } = await world.start(['true']);
      await ended;
      expect(await failure(process.attach({ stdin: false, stdout: true, stderr: true }))).to.be.instanceOf(NotRunning);
    });

    it('is written to the log', async () => {
      const path = join(world.folder, 'container.log');
      await world.run(['echo', 'for the log'], { log: { format: 'json-file', path, maxSize: 0, maxFile: 1 } });
      const [line = ''] = (await readFile(path, 'utf8')).split('\n');
      expect(JSON.parse(line)).to.include({ log: 'for the log\n', stream: 'stdout' });
    });

    it('can be a terminal', async () => {
      const { ended } = await world.start(
        ['sh', '-c', 'tty; stty size; test -c /dev/console && echo console; echo err >&2'],
        {
          tty: true,
          consoleSize: [33, 101],
        },
      );
      expect((await ended).stdout).to.equal('/dev/pts/0\r\n33 101\r\nconsole\r\nerr\r\n');
    });

    it('can be a terminal that changes its size', async () => {
      const script = 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.1; done';
      const { process, output, ended } = await world.start(['sh', '-c', script], { tty: true });
      await output.until('ready');
      process.resize(44, 111);
      expect((await ended).stdout).to.include('44 111');
    });
  });

  describe('a user', () => {
    const who = (user: string, process: Wishes['process'] = {}) => world.script('id; echo $HOME', { user, process });

    it('is root where nothing is said', async () => {
      expect(await who('')).to.match(/^uid=0\(?.* gid=0.*\n\/root\n$/);
    });

    it('is looked up by name, with groups and home', async () => {
      expect(await who('bob')).to.match(
        /^uid=1000\(bob\) gid=1001\(bob\) groups=(1001\(bob\),29\(audio\)|29\(audio\),1001\(bob\))\n\/home\/bob\n$/,
      );
    });

    it('can be a number that nobody has', async () => {
      expect(await who('4711:4712')).to.match(/^uid=4711 gid=4712.*\n\/\n$/);
    });

    it('can have another group, and more groups', async () => {
      const user = { uid: 0, gid: 0, additionalGids: [77], umask: 0o22 };
      const groups = await who('bob:video', { user, groupNames: ['root'] });
      expect(groups).to.match(/gid=44\(video\)/);
      expect(groups).to.match(/77/);
    });

    it('has no capabilities unless it is root', async () => {
      const status = await world.script('grep -E "Cap(Inh|Prm|Eff|Bnd)" /proc/self/status', { user: 'bob' });
      expect(status).to.equal(
        'CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\n',
      );
    });

    it('is refused with a group that nobody has', async () => {
      const error = await failure(world.start(['true'], { process: { groupNames: ['nogroup'] } }));
      expect(error.message).to.equal('Unable to find group nogroup: no matching entries in group file');
    });

    for (const [user, words] of [
      ['nobody', 'unable to find user nobody: no matching entries in passwd file'],
      ['0:nogroup', 'unable to find group nogroup: no matching entries in group file'],
      ['4294967296', 'uids and gids must be in range 0-2147483647'],
      ['-1', 'uids and gids must be in range 0-2147483647'],
    ] as const) {
      it(`is refused when it is ${user}`, async () => {
        const error = await failure(world.start(['true'], { user }));
        expect(error).to.be.instanceOf(InvalidParameter);
        expect(error.message).to.equal(words);
      });
    }
  });

  describe('a program that cannot be run', () => {
    const runc =
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ';
    const cases: readonly (readonly [
      command: string,
      kind: typeof CommandNotFound | typeof CommandNotExecutable,
      status: number,
      words: string,
    ])[] = [
      ['nope', CommandNotFound, 127, 'exec: "nope": executable file not found in $PATH'],
      ['/nope', CommandNotFound, 127, 'exec: "/nope": stat /nope: no such file or directory'],
      ['./nope', CommandNotFound, 127, 'exec: "./nope": stat ./nope: no such file or directory'],
      ['', CommandNotFound, 127, 'exec: "": executable file not found in $PATH'],
      ['/etc/plain', CommandNotExecutable, 126, 'exec: "/etc/plain": permission denied'],
      ['/etc', CommandNotExecutable, 126, 'exec: "/etc": permission denied'],
    ];
    for (const [command, kind, status, words] of cases) {
      it(`is told for ${JSON.stringify(command)}`, async () => {
        const error = await failure(world.start([command]));
        expect(error.message).to.equal(`${runc}${words}: unknown`);
        expect(error).to.be.instanceOf(kind);
        expect(error.exitStatus).to.equal(status);
      });
    }

    it('is told for a script without its interpreter, and for no program at all', async () => {
      expect(await failure(world.start(['/bin/orphan']))).to.be.instanceOf(CommandNotFound);
      expect(await failure(world.start(['/bin/garbage']))).to.be.instanceOf(CommandNotExecutable);
    });

    it('leaves nothing behind', async () => {
      await failure(world.start(['nope']));
      expect(await world.leftovers()).to.deep.equal([]);
    });
  });

  describe('mounts', () => {
    const mounts = (...more: ReturnType<typeof mount>[]): Wishes => ({
      spec: (spec) => ({ ...spec, mounts: [...spec.mounts, ...more] }),
    });

    it('show nothing on the host', async () => {
      const { output } = await world.start(['sh', '-c', 'echo ready; sleep 60']);
      await output.until('ready');
      expect(await readFile('/proc/self/mountinfo', 'utf8')).not.to.include(world.folder);
    });

    it('bind folders and files, making what is missing to mount on', async () => {
      const source = join(world.folder, 'source');
      await mkdir(source, { recursive: true });
      await writeFile(join(source, 'file'), 'content');
      const wishes = mounts(
        mount('/new/folder', 'bind', source, 'rbind'),
        mount('/new/file', 'bind', join(source, 'file'), 'rbind', 'ro'),
      );
      expect(await world.script('cat /new/folder/file /new/file; echo x > /new/file', wishes)).to.match(
        /^contentcontentsh: can't create \/new\/file: Read-only file system/,
      );
    });

    it('write through to what is bound', async () => {
      const source = join(world.folder, 'written');
      await mkdir(source);
      await world.run(['sh', '-c', 'echo here > /w/file'], mounts(mount('/w', 'bind', source, 'rbind')));
      expect(await readFile(join(source, 'file'), 'utf8')).to.equal('here\n');
    });

    it('fill an empty volume from the image, and no other', async () => {
      const volume = join(world.folder, 'volume');
      await mkdir(volume);
      const wishes = mounts({ ...mount('/etc', 'bind', volume, 'rbind'), copyUp: true });
      expect(await world.script('cat /etc/plain; rm -f /etc/plain; echo more > /etc/more', wishes)).to.include(
        'no program',
      );
      expect(await world.script('cat /etc/more; test -e /etc/group && echo group', wishes)).to.equal('more\ngroup\n');
    });

    it('can be tmpfs with options', async () => {
      const wishes = mounts(mount('/scratch', 'tmpfs', 'tmpfs', 'noexec', 'size=1m', 'mode=1770'));
      expect(await world.script('grep " /scratch " /proc/self/mounts', wishes)).to.match(
        /tmpfs rw,noexec,relatime,size=1024k,mode=1770/,
      );
    });

    it('can leave the root read-only', async () => {
      const wishes: Wishes = { spec: (spec) => ({ ...spec, root: { ...spec.root, readonly: true } }) };
      expect(await world.script('echo x > /file; echo x > /dev/shm/file && echo shm', wishes)).to.match(
        /Read-only file system|shm/,
      );
      expect(await world.script('touch /file 2>&1', wishes)).to.match(/Read-only file system/);
    });

    it('make the working directory also beneath a read-only root', async () => {
      const wishes: Wishes = {
        spec: (spec) => ({ ...spec, root: { ...spec.root, readonly: true } }),
        process: { cwd: '/made/readonly' },
      };
      expect(await world.script('pwd', wishes)).to.equal('/made/readonly\n');
    });

    it('hide masked paths and protect read-only ones', async () => {
      const linux = {
        maskedPaths: ['/proc/timer_list', '/sys/firmware', '/no/such'],
        readonlyPaths: ['/proc/sys', '/no/such'],
      };
      const script =
        'cat /proc/timer_list; ls /sys/firmware; echo 1 > /proc/sys/kernel/shm_rmid_forced; echo x > /sys/firmware/x';
      const result = await world.script(script, { linux });
      expect(result.match(/Read-only file system|nonexistent directory/g)).to.have.lengthOf(2);
      expect(result).not.to.match(/Timer List/);
    });

    withLimits('show a container its own cgroups, read-only', async () => {
      const file = `/sys/fs/cgroup/${isPureV2 ? '' : 'pids/'}pids.max`;
      const script = `cat ${file}; echo 1 > ${file}; mkdir /sys/fs/cgroup/x`;
      const result = await world.script(script, resources({ pids: { limit: 100 } }));
      expect(result).to.match(/^100\n/);
      expect(result.match(/Read-only file system/g)).to.have.lengthOf(2);
    });

    it('tell the user of a folder that should go on a file', async () => {
      const error = await failure(world.start(['true'], mounts(mount('/etc/plain', 'bind', '/tmp', 'rbind'))));
      expect(error.message).to.match(
        /error mounting "\/tmp" to rootfs at "\/etc\/plain": .*: not a directory: unknown/,
      );
      expect(error.message).to.match(/Are you trying to mount a directory onto a file \(or vice-versa\)\?/);
    });

    it('tell the user of a source that is not there', async () => {
      const error = await failure(world.start(['true'], mounts(mount('/x', 'bind', '/no/such', 'rbind'))));
      expect(error.message).to.match(/error mounting "\/no\/such": no such file or directory/);
    });
  });

  describe('devices', () => {
    it('are the usual ones, and work', async () => {
      const script = 'echo x > /dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; ls /dev';
      expect((await world.script(script)).split(/\s+/).filter(Boolean)).to.deep.equal(
        '4 4 fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'.split(' '),
      );
    });

    it('can be made but not opened', async () => {
      const script =
        'mknod /tmp/disk b 254 0 && echo made; head -c 1 /tmp/disk; mknod /tmp/null2 c 1 3 && echo x > /tmp/null2 && echo null';
      const result = await world.script(`cd /dev/shm; ${script.replaceAll('/tmp/', '/dev/')}`);
      expect(result).to.match(/made/);
      expect(result).to.match(/Operation not permitted/);
      expect(result).to.match(/null\n/);
    });

    it('can be added', async () => {
      const linux = {
        devices: [{ path: '/dev/deep/full2', type: 'c', major: 1, minor: 7, fileMode: 0o640, uid: 1000, gid: 29 }],
      } as const;
      expect(await world.script('ls -ln /dev/deep/full2', { linux })).to.match(/^crw-r----- +1 1000 +29 +1, +7/);
    });
  });

  describe('limits', () => {
    withLimits('are written to the cgroups', async () => {
      const wishes = resources({
        memory: {
          limit: 64 * MEBIBYTE,
          reservation: 32 * MEBIBYTE,
          swap: null,
          swappiness: null,
          disableOOMKiller: false,
        },
        cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0', mems: '' },
        pids: { limit: 77 },
      });
      const files = isPureV2
        ? 'memory.max memory.low cpu.weight cpu.max cpuset.cpus pids.max'
        : 'memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us cpuset/cpuset.cpus pids/pids.max';
      const cpu = isPureV2 ? '20\n50000 100000' : '512\n50000';
      expect(await world.script(`cd /sys/fs/cgroup; cat ${files}`, wishes)).to.equal(
        `${64 * MEBIBYTE}\n${32 * MEBIBYTE}\n${cpu}\n0\n77\n`,
      );
    });

    withLimits('kill what takes more memory than it may, and tell so', async () => {
      const { code, oomKilled } = await world.run(
        ['sh', '-c', 'x=$(head -c 100000000 /dev/zero | tr "\\0" x); echo "$x" | wc -c'],
        memory(16 * MEBIBYTE),
      );
      expect({ code, oomKilled }).to.deep.equal({ code: 137, oomKilled: true });
    });

    withLimits('tell of no such thing when something else killed it', async () => {
      const { process, ended } = await world.start(['sleep', '60'], memory(64 * MEBIBYTE));
      process.signal(SIGKILL);
      expect(await ended).to.include({ code: 137, oomKilled: false });
    });

    withLimits('stop forks at the number of processes', async () => {
      const result = await world.script(
        'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait',
        resources({ pids: { limit: 4 } }),
      );
      expect(result).to.match(/can't fork/);
    });

    it('set resource limits of the process', async () => {
      const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }];
      expect(await world.script('grep "open files" /proc/self/limits', { process: { rlimits } })).to.match(/100 +200/);
    });

    it('tell the user of a resource limit that is too high', async () => {
      const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 2 ** 40, hard: 2 ** 40 }];
      const error = await failure(world.start(['true'], { process: { rlimits } }));
      expect(error.message).to.match(/error setting rlimit type 7: operation not permitted: unknown$/);
    });
  });

  describe('confinement', () => {
    it('bounds the capabilities', async () => {
      const script = 'grep -E "Cap(Prm|Eff|Bnd)" /proc/self/status';
      const line = (mask: string) => ['CapPrm', 'CapEff', 'CapBnd'].map((name) => `${name}:\t${mask}\n`).join('');
      expect(await world.script(script)).to.equal(line('00000000a80425fb'));
      expect(await world.script(script, { process: capabilities(['NET_ADMIN'], ['ALL']) })).to.equal(
        line('0000000000001000'),
      );
      expect(await world.script(script, { process: capabilities([], ['ALL']) })).to.equal(line('0000000000000000'));
    });

    it('filters system calls', async () => {
      const script = 'grep -E "^Seccomp:" /proc/self/status; unshare -m true; unshare -U true; mount -t tmpfs x /tmp';
      const result = await world.script(script, filtered);
      expect(result).to.match(/Seccomp:\t2\n/);
      expect(result.match(/Operation not permitted|permission denied/g)).to.have.lengthOf(3);
    });

    it('filters system calls of the unprivileged without new privileges', async () => {
      const wishes: Wishes = { ...filtered, user: 'bob', process: { noNewPrivileges: true } };
      expect(await world.script('grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status', wishes)).to.equal(
        'NoNewPrivs:\t1\nSeccomp:\t2\n',
      );
    });

    it('writes sysctls of its own namespaces', async () => {
      const linux = { sysctl: { 'net.ipv4.ip_unprivileged_port_start': '7', 'kernel.shm_rmid_forced': '1' } };
      expect(
        await world.script('cd /proc/sys; cat net/ipv4/ip_unprivileged_port_start kernel/shm_rmid_forced', { linux }),
      ).to.equal('7\n1\n');
    });

    it('tells the user of a sysctl that is not there, or not so', async () => {
      const attempt = (name: string, value: string) =>
        failure(world.start(['true'], { linux: { sysctl: { [name]: value } } }));
      expect((await attempt('net.nope', '1')).message).to.match(
        /error during container init: open \/proc\/sys\/net\/nope: no such file or directory: unknown$/,
      );
      expect((await attempt('kernel.shmmax', 'abc')).message).to.match(
        /error during container init: write \/proc\/sys\/kernel\/shmmax: invalid argument: unknown$/,
      );
    });

    it('tells the user of a hostname that is too long', async () => {
      const error = await failure(world.start(['true'], { spec: (spec) => ({ ...spec, hostname: 'a'.repeat(70) }) }));
      expect(error.message).to.match(/error during container init: sethostname: invalid argument: unknown$/);
    });

    it('tells the user of a working directory that is a file', async () => {
      const error = await failure(world.start(['true'], { process: { cwd: '/etc/plain' } }));
      expect(error.message).to.equal('Cannot mkdir: /etc/plain is not a directory');
    });
  });

  describe('networks', () => {
    it('are none but a loopback that is up', async () => {
      const result = await world.script('ip -o link; ip -o addr');
      expect(result).to.match(/lo: <LOOPBACK,UP,LOWER_UP>/);
      expect(result).to.match(/127\.0\.0\.1\/8/);
      expect(result).not.to.match(/eth/);
    });

    it("are the host's", async () => {
      const namespaces = BASE_SPEC.linux.namespaces.filter(({ type }) => type !== 'network');
      const network = await new HostNetwork().join('x');
      const inside = await world.script('readlink /proc/self/ns/net', { network, linux: { namespaces } });
      expect(inside.trim()).to.equal(await readlink('/proc/self/ns/net'));
    });

    it("are another container's", async () => {
      const first = await world.start(['sleep', '60']);
      const namespaces = [
        ...BASE_SPEC.linux.namespaces.filter(({ type }) => type !== 'network' && type !== 'pid'),
        { type: 'network', path: `/proc/${first.process.pid}/ns/net` },
        { type: 'pid', path: `/proc/${first.process.pid}/ns/pid` },
      ] as const;
      const network = { newNamespace: false, operations: [], endpoints: {} };
      const second = await world.script('readlink /proc/self/ns/net; cat /proc/1/comm', {
        network,
        linux: { namespaces },
      });
      expect(second).to.equal(`${await readlink(`/proc/${first.process.pid}/ns/net`)}\nsleep\n`);
    });
  });

  describe('exec', () => {
    it('runs one more process in the container', async () => {
      const { id, process } = await world.start(['sleep', '60']);
      const result = await world.exec(id, [
        'sh',
        '-c',
        'cat /proc/1/comm; hostname; grep -c gantry-g- /proc/self/cgroup; echo err >&2; exit 5',
      ]);
      expect(result.stdout).to.match(/^sleep\nc0ffeec0ffee\n[1-9]\d*\n$/);
      expect([result.stderr, result.code]).to.deep.equal(['err\n', 5]);
      expect(await world.driver.pids(id)).to.deep.equal([process.pid]);
    });

    it('is confined as the container is', async () => {
      const { id } = await world.start(['sleep', '60'], filtered);
      const status = 'grep -E "^(Cap(Prm|Eff|Bnd|Amb)|Seccomp|NoNewPrivs):" /proc/self/status';
      const { stdout } = await world.exec(id, ['sh', '-c', `${status}; readlink /proc/self/root; ls /proc/self/fd`]);
      expect(stdout).to.match(/CapEff:\t00000000a80425fb/);
      expect(stdout).to.match(/Seccomp:\t2/);
      expect(stdout).to.match(/\n\/\n0\n1\n2\n3\n$/);
    });

    it('runs as another user in another folder', async () => {
      const { id } = await world.start(['sleep', '60']);
      const { stdout } = await world.exec(id, ['sh', '-c', 'id -u; pwd; echo $HOME'], {
        user: 'bob',
        process: { cwd: '/tmp' },
      });
      expect(stdout).to.equal('1000\n/tmp\n/home/bob\n');
    });

    it('has a stdin and a terminal', async () => {
      const { id } = await world.start(['sleep', '60']);
      const { attachment, output, process, ended } = await world.startExec(
        id,
        ['sh', '-c', 'tty; stty size; read x; echo "[$x]"'],
        {
          tty: true,
          stdin: true,
          consoleSize: [20, 70],
        },
      );
      await output.until('20 70');
      attachment.writeStdin(Buffer.from('word\n'));
      await output.until('[word]');
      expect((await ended).code).to.equal(0);
      expect(output.stdout).to.match(/^\/dev\/pts\/0\r\n20 70\r\n/);
      process.signal(SIGKILL);
    });

    it('gets signals', async () => {
      const { id } = await world.start(['sleep', '60']);
      const { process, ended } = await world.startExec(id, ['sleep', '60']);
      process.signal(SIGKILL);
      expect((await ended).code).to.equal(137);
    });

    it('ends with the container', async () => {
      const { id, process } = await world.start(['sleep', '60']);
      const { ended } = await world.startExec(id, ['sleep', '60']);
      process.signal(SIGKILL);
      expect((await ended).code).to.equal(137);
    });

    it('tells of what cannot be run, in words of its own', async () => {
      const { id } = await world.start(['sleep', '60']);
      const words = (what: string) =>
        `OCI runtime exec failed: exec failed: unable to start container process: ${what}: unknown`;
      const missing = await failure(world.startExec(id, ['nope']));
      expect(missing).to.be.instanceOf(CommandNotFound);
      expect(missing.message).to.equal(words('exec: "nope": executable file not found in $PATH'));
      const plain = await failure(world.startExec(id, ['/etc/plain']));
      expect(plain).to.be.instanceOf(CommandNotExecutable);
      const folder = await failure(world.startExec(id, ['true'], { process: { cwd: '/no/such' } }));
      expect(folder.message).to.equal(
        words('chdir to cwd ("/no/such") set in config.json failed: no such file or directory'),
      );
      const user = await failure(world.startExec(id, ['true'], { user: 'nobody' }));
      expect(user.message).to.equal('unable to find user nobody: no matching entries in passwd file');
    });

    it('runs, is killed or is refused in a container that is just ending', async () => {
      for (let round = 0; round < 20; round++) {
        const { id, process, ended } = await world.start(['sleep', '60']);
        const racing = world.exec(id, ['true']).catch((error: unknown) => error);
        await sleep(round / 4);
        process.signal(SIGKILL);
        const outcome = await racing;
        if (outcome instanceof Error) expect(outcome).to.be.instanceOf(NotRunning);
        else expect(outcome).to.have.property('code').that.is.oneOf([0, 137]);
        await ended;
      }
    });

    it('is refused in a container that has ended', async () => {
      const { id, ended } = await world.start(['true']);
      await ended;
      expect(await failure(world.startExec(id, ['true']))).to.be.instanceOf(NotRunning);
    });
  });

  describe('freeze', () => {
    it('stops every process and lets it go on', async () => {
      const script = 'echo ready; i=0; while :; do i=$((i+1)); echo $i > /dev/shm/count; done';
      const { id, process, output } = await world.start(['sh', '-c', script]);
      await output.until('ready');
      const count = () => readFile(`/proc/${process.pid}/root/dev/shm/count`, 'utf8');
      await world.driver.freeze(id, true);
      const before = await count();
      await sleep(100);
      expect(await count()).to.equal(before);
      await world.driver.freeze(id, false);
      while ((await count()) === before) await sleep(5);
    });

    it('is refused for a container that is not there', async () => {
      const { id } = await world.request(['true']);
      expect(await failure(world.driver.freeze(id, true))).to.be.instanceOf(NotRunning);
    });
  });

  describe('adopt', () => {
    it('finds what runs, with its end and its streams', async () => {
      const { id, process } = await world.start(['sh', '-c', 'read line; echo "got $line"; exit 3'], { stdin: true });
      await world.restartDriver();
      const [adopted, ...others] = await world.driver.adopt();
      expect(others).to.deep.equal([]);
      if (adopted?.kind !== 'container' || !('process' in adopted.outcome)) throw new Error('not adopted');
      expect([adopted.id, adopted.outcome.process.pid]).to.deep.equal([id, process.pid]);
      expect(adopted.outcome.process.startedAt).to.equal(process.startedAt);
      expect((await world.exec(id, ['echo', 'again'])).stdout).to.equal('again\n');
      const attachment = await adopted.outcome.process.attach({ stdin: true, stdout: true, stderr: true });
      attachment.writeStdin(Buffer.from('line\n'));
      expect((await adopted.outcome.process.exited).code).to.equal(3);
    });

    it('finds how something ended that ended meanwhile', async () => {
      const { id, process } = await world.start(['sleep', '60']);
      const monitor = Number(/^PPid:\t(\d+)/m.exec(await readFile(`/proc/${process.pid}/status`, 'utf8'))?.[1]);
      await world.restartDriver(async () => {
        globalThis.process.kill(process.pid, 'SIGKILL');
        await gone(monitor);
      });
      const [adopted] = await world.driver.adopt();
      if (adopted?.kind !== 'container' || !('exit' in adopted.outcome)) throw new Error('no exit');
      expect([adopted.id, adopted.outcome.exit.code]).to.deep.equal([id, 137]);
    });

    it('finds execs', async () => {
      const { id } = await world.start(['sleep', '60']);
      await world.startExec(id, ['sleep', '61']);
      await world.restartDriver();
      const exec = (await world.driver.adopt()).find(({ kind }) => kind === 'exec');
      if (exec?.kind !== 'exec' || !('process' in exec.outcome)) throw new Error('not adopted');
      expect(exec.container).to.equal(id);
      exec.outcome.process.signal(SIGKILL);
      expect((await exec.outcome.process.exited).code).to.equal(137);
    });

    it('takes away what a crash left in the middle of a start', async () => {
      await mkdir(join(world.folder, 'x/c', '0'.repeat(32)));
      await mkdir(join(world.folder, 'x/e', '0'.repeat(32)));
      await world.restartDriver();
      expect(await world.driver.adopt()).to.deep.equal([]);
      expect(await world.leftovers()).to.deep.equal([]);
    });
  });

  describe('a monitor that is killed', () => {
    const kill = async (pid: number) => {
      const monitor = Number(/^PPid:\t(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
      process.kill(monitor, 'SIGKILL');
      await gone(monitor);
    };

    it('takes its container along', async () => {
      const { id, process, ended } = await world.start(['sh', '-c', 'sleep 60 & sleep 60']);
      await kill(process.pid);
      expect((await ended).code).to.equal(137);
      await world.driver.forget(id);
    });

    it('takes along a container with an init', async () => {
      const { id, process, ended } = await world.start(['sleep', '60'], { init: true });
      await kill(process.pid);
      expect((await ended).code).to.equal(137);
      await world.driver.forget(id);
    });

    it('is found out by the next daemon', async () => {
      const { process } = await world.start(['sleep', '60'], { init: true });
      await world.restartDriver(() => kill(process.pid));
      expect(await world.driver.adopt()).to.deep.equal([]);
      expect(await world.leftovers()).to.deep.equal([]);
    });
  });

  describe('forget', () => {
    it('can be done twice, and for what never was', async () => {
      const { id, ended } = await world.start(['true']);
      await ended;
      await world.driver.forget(id);
      await world.driver.forget(id);
      await world.driver.forget((await world.request(['true'])).id);
    });

    it('ends what a container leaves in a shared pid namespace', async () => {
      const first = await world.start(['sleep', '60']);
      const namespaces = [
        ...BASE_SPEC.linux.namespaces.filter(({ type }) => type !== 'pid'),
        { type: 'pid', path: `/proc/${first.process.pid}/ns/pid` },
      ] as const;
      const second = await world.start(['sh', '-c', 'sleep 1000 & sleep 1000 & exit 0'], { linux: { namespaces } });
      await second.process.exited;
      await world.driver.forget(second.id);
      expect(await world.driver.pids(first.id)).to.deep.equal([first.process.pid]);
    });
  });

  it('says what it would do', async () => {
    const program = await world.driver.program(await world.request(['echo', 'hi']));
    expect(program.map(({ op }) => op)).to.include.members(['clone', 'pivot_root', 'execve']);
    expect(await world.leftovers()).to.deep.equal([]);
  });

  it('starts many at once', async () => {
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, index) => world.run(['sh', '-c', `echo ${index}; exit ${index}`])),
    );
    expect(results.map(({ code }) => code)).to.deep.equal([...results.keys()]);
    expect(results.map(({ stdout }) => stdout.trim())).to.deep.equal([...results.keys()].map(String));
  });
}

/** Resolves when a process is no more. */
async function gone(pid: number): Promise<void> {
  while (
    await readFile(`/proc/${pid}/stat`).then(
      () => true,
      () => false,
    )
  ) {
    await sleep(5);
  }
}
