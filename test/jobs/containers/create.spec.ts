import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { EngineError, NameInUse, NoSuchImage } from '../../../api/errors.ts';
import { failure, SmallDaemon, type Wishes } from './small-daemon.ts';

/** What is asked → status and words of dockerd 20.10, taken down from one. */
const REFUSALS: readonly [wishes: Wishes, status: number, words: string][] = [
  [{ Image: 'nope' }, 404, 'No such image: nope:latest'],
  [{ Image: 'nope:1' }, 404, 'No such image: nope:1'],
  [
    { Image: 'busybox', Platform: 'linux/arm64' },
    404,
    'image with reference busybox was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64',
  ],
  [{ Platform: 'vax' }, 400, '"vax": unknown operating system or architecture: invalid argument'],
  [{ Image: '' }, 400, 'No command specified'],
  [{ Image: 'nocmd' }, 400, 'No command specified'],
  [{ Entrypoint: [''] }, 400, 'No command specified'],
  [{ HostConfig: { Memory: 1 } }, 400, 'Minimum memory limit allowed is 6MB'],
  [{ HostConfig: { Memory: -1 } }, 400, 'Minimum memory limit allowed is 6MB'],
  [
    { HostConfig: { Memory: 10_000_000, MemorySwap: 9_000_000 } },
    400,
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  ],
  [
    { HostConfig: { MemorySwap: 9_000_000 } },
    400,
    'You should always set the Memory limit when using Memoryswap limit, see usage',
  ],
  [
    { HostConfig: { Memory: 10_000_000, MemoryReservation: 20_000_000 } },
    400,
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  ],
  [{ HostConfig: { MemorySwappiness: 101 } }, 400, 'Invalid value: 101, valid memory swappiness range is 0-100'],
  [
    { HostConfig: { NanoCpus: 100_000_000_000 } },
    400,
    'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available',
  ],
  [
    { HostConfig: { NanoCpus: 1_000_000, CpuQuota: 1000 } },
    400,
    'Conflicting options: Nano CPUs and CPU Quota cannot both be set',
  ],
  [{ HostConfig: { CpuQuota: 1 } }, 400, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  [{ HostConfig: { CpusetCpus: 'x' } }, 400, 'Invalid value x for cpuset cpus: invalid format: x'],
  [{ HostConfig: { CpusetCpus: '99' } }, 400, 'Requested CPUs are not available - requested 99, available: 0-1'],
  [{ HostConfig: { OomScoreAdj: 5000 } }, 400, 'Invalid value 5000, range for oom score adj is [-1000, 1000]'],
  [
    { HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } } },
    400,
    "maximum retry count cannot be used with restart policy 'always'",
  ],
  [
    { HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -3 } } },
    400,
    'maximum retry count cannot be negative',
  ],
  [
    { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } },
    400,
    "can't create 'AutoRemove' container with restart policy",
  ],
  [
    { HostConfig: { Binds: ['x'] } },
    400,
    "invalid volume specification: 'x': invalid mount config for type \"volume\": invalid mount path: 'x' mount path must be absolute",
  ],
  [{ HostConfig: { Binds: ['/tmp:/a:zz'] } }, 400, 'invalid mode: zz'],
  [{ HostConfig: { Binds: ['/tmp:/a:ro,rw'] } }, 400, 'invalid mode: ro,rw'],
  [{ HostConfig: { Binds: ['a:b:c:d'] } }, 400, "invalid volume specification: 'a:b:c:d'"],
  [{ HostConfig: { Binds: [':/x'] } }, 400, "invalid volume specification: ':/x'"],
  [
    { HostConfig: { Binds: ['/tmp:/'] } },
    400,
    "invalid volume specification: '/tmp:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
  ],
  [{ HostConfig: { Binds: ['/tmp:/x', '/var:/x/'] } }, 400, 'Duplicate mount point: /x'],
  [{ HostConfig: { Binds: ['/tmp:/x'], Tmpfs: { '/x': '' } } }, 400, 'Duplicate mount point: /x'],
  [
    { HostConfig: { Binds: ['a/b:/x'] } },
    400,
    'create a/b: "a/b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  ],
  [{ HostConfig: { Tmpfs: { x: '' } } }, 400, "invalid mount path: 'x' mount path must be absolute"],
  [
    { HostConfig: { Mounts: [{ Type: 'bind', Source: '/nope-at-all', Target: '/x' }] } },
    400,
    'invalid mount config for type "bind": bind source path does not exist: /nope-at-all',
  ],
  [
    { HostConfig: { Mounts: [{ Type: 'bind', Source: '', Target: '/x' }] } },
    400,
    'invalid mount config for type "bind": field Source must not be empty',
  ],
  [
    { HostConfig: { Mounts: [{ Type: 'bind', Source: '/tmp', Target: 'x' }] } },
    400,
    'invalid mount config for type "bind": invalid mount path: \'x\' mount path must be absolute',
  ],
  [
    { HostConfig: { Mounts: [{ Type: 'volume', Source: 'v1', Target: '/x', BindOptions: {} }] } },
    400,
    'invalid mount config for type "volume": field BindOptions must not be specified',
  ],
  [
    { HostConfig: { Mounts: [{ Type: 'tmpfs', Source: 'x', Target: '/x' }] } },
    400,
    'invalid mount config for type "tmpfs": field Source must not be specified',
  ],
  [{ WorkingDir: 'rel' }, 400, "the working directory 'rel' is invalid, it needs to be an absolute path"],
  [{ StopSignal: 'foo' }, 400, 'Invalid signal: foo'],
  [{ Env: ['=x'] }, 400, 'invalid environment variable: =x'],
  [{ HostConfig: { LogConfig: { Type: 'x' } } }, 400, 'error looking up logging plugin x: plugin "x" not found'],
  [
    { HostConfig: { LogConfig: { Type: 'json-file', Config: { foo: '1' } } } },
    400,
    "unknown log opt 'foo' for json-file log driver",
  ],
  [{ HostConfig: { SecurityOpt: ['foo'] } }, 400, 'invalid --security-opt 1: "foo"'],
  [{ HostConfig: { SecurityOpt: ['foo=bar'] } }, 400, 'invalid --security-opt 2: "foo=bar"'],
  [{ HostConfig: { CapAdd: ['FOO'] } }, 400, 'invalid CapAdd: unknown capability: "CAP_FOO"'],
  [
    { HostConfig: { Sysctls: { 'kernel.core_pattern': '|/x' } } },
    400,
    'sysctl "kernel.core_pattern" is not in a separate kernel namespace',
  ],
  [
    { HostConfig: { Sysctls: { 'kernel.shm_rmid_forced': '1+kernel.core_pattern=|/x\n' } } },
    400,
    "invalid sysctl 'kernel.shm_rmid_forced=1+kernel.core_pattern=|/x\n'",
  ],
  [
    { HostConfig: { NetworkMode: 'container:' } },
    400,
    'Invalid network mode: invalid container format container:<name|id>',
  ],
  [{ HostConfig: { NetworkMode: 'container:nope' } }, 400, 'No such container: nope'],
  [{ HostConfig: { NetworkMode: 'nonet' } }, 400, 'network nonet not found'],
  [{ HostConfig: { PidMode: 'container:nope' } }, 400, 'No such container: nope'],
  [{ HostConfig: { CgroupnsMode: 'foo' } }, 400, 'invalid cgroup namespace mode: foo'],
  [{ HostConfig: { ShmSize: -1 } }, 400, 'SHM size can not be less than 0'],
  [
    { HostConfig: { Ulimits: [{ Name: 'nofile', Soft: 2, Hard: 1 }] } },
    400,
    'ulimit soft limit must be less than or equal to hard limit: 2 > 1',
  ],
  [{ HostConfig: { ExtraHosts: ['foo'] } }, 400, 'bad format for add-host: "foo"'],
  [{ HostConfig: { PortBindings: { '80/tcp': [{ HostPort: 'x' }] } } }, 400, 'invalid port specification: "x"'],
  [{ HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '70000' }] } } }, 400, 'invalid port specification: "70000"'],
  [{ HostConfig: { PortBindings: { 'y/udp': null } } }, 400, 'invalid port specification: "y"'],
  [{ HostConfig: { ExtraHosts: ['foo:bar'] } }, 400, 'invalid IP address in add-host: "bar"'],
  [
    { HostConfig: { ExtraHosts: ['a\n6.6.6.6 evil:1.1.1.1'] } },
    400,
    'bad format for add-host: "a\n6.6.6.6 evil:1.1.1.1"',
  ],
  [{ HostConfig: { VolumesFrom: ['nope'] } }, 400, 'No such container: nope'],
  [{ Healthcheck: { Test: ['CMD', 'x'], Interval: 1 } }, 400, 'Interval in Healthcheck cannot be less than 1ms'],
];

/** What this engine does not have: refused, and told what to do. */
const UNAVAILABLE: readonly [wishes: Wishes, words: RegExp][] = [
  [{ HostConfig: { NetworkMode: 'bridge' } }, /no bridge driver yet, use --network none/],
  [{ HostConfig: { NetworkMode: 'default', PortBindings: { '80/tcp': [{ HostPort: '80' }] } } }, /published ports/],
  [{ HostConfig: { Links: ['a:b'] } }, /links/],
  [{ HostConfig: { IpcMode: 'container:x' } }, /shared memory of another container/],
  [{ HostConfig: { BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1 }] } }, /BlkioDeviceReadBps/],
  [{ HostConfig: { DeviceRequests: [{ Driver: 'nvidia' }] } }, /device driver/],
  [{ HostConfig: { ExtraHosts: ['x:host-gateway'] } }, /host-gateway/],
  [{ HostConfig: { StorageOpt: { size: '1g' } } }, /storage-opt/],
];

const WARNINGS: readonly [wishes: Wishes, words: RegExp][] = [
  [{ HostConfig: { NetworkMode: 'default' } }, /only a loopback interface/],
  [{ HostConfig: { NetworkMode: '' } }, /only a loopback interface/],
  [{ HostConfig: { NetworkMode: 'host', PublishAllPorts: true } }, /discarded when using host network mode/],
  [{ HostConfig: { OomKillDisable: true } }, /OOM killer is disabled/],
  [{ HostConfig: { SecurityOpt: ['apparmor=foo'] } }, /AppArmor is not in use/],
  [{ HostConfig: { CpuCount: 2 } }, /CpuCount/],
  [{ Healthcheck: { Test: ['CMD', 'true'] } }, /Health checks/],
  [{ MacAddress: '02:42:ac:11:00:02' }, /MAC address/],
];

describe('job create', () => {
  let daemon: SmallDaemon;

  beforeEach(async () => {
    daemon = await SmallDaemon.make();
    await daemon.image('busybox', { Cmd: ['sh'], Env: ['PATH=/bin', 'A=image', 'B=image'] });
    await daemon.image('nocmd', {});
  });
  afterEach(() => daemon[Symbol.asyncDispose]());

  it('makes a container that is created, not running, and tells of it', async () => {
    const { Id, Warnings } = await daemon.create('web');
    expect(daemon.containers.get('web')).to.deep.include({ ID: Id, Path: 'sh', Args: [] });
    expect(daemon.containers.get('web').State).to.deep.equal({ status: 'created', exitCode: 0, error: '' });
    expect(Warnings).to.deep.equal([]);
    expect(daemon.actions('web')).to.deep.equal(['create']);
  });

  it('finds a name when none is given, and drops a leading slash', async () => {
    const { Id } = await daemon.create('');
    expect(daemon.containers.get(Id).Name).to.match(/^[a-z]+_[a-z0-9]+$/);
    await daemon.create('/web');
    expect(daemon.containers.get('web').Name).to.equal('web');
  });

  for (const [wishes, status, words] of REFUSALS) {
    it(`answers ${status} ${JSON.stringify(words)}`, async () => {
      const error = await failure(daemon.create('web', wishes));
      expect(error.message).to.equal(words);
      expect(error).to.be.instanceOf(EngineError).with.property('httpStatus', status);
      expect(daemon.containers.list()).to.deep.equal([]);
    });
  }

  for (const [wishes, words] of UNAVAILABLE) {
    it(`says that it has not: ${JSON.stringify(wishes)}`, async () => {
      const error = await failure(daemon.create('web', wishes));
      expect(error.message).to.match(words);
      expect(error).to.be.instanceOf(EngineError).with.property('httpStatus', 501);
    });
  }

  for (const [wishes, words] of WARNINGS) {
    it(`warns of what it passes over: ${JSON.stringify(wishes)}`, async () => {
      const { Warnings } = await daemon.create('web', wishes);
      expect(Warnings).to.have.length(1);
      expect(Warnings[0]).to.match(words);
    });
  }

  it('refuses a name that is taken, and says who has it', async () => {
    const { Id } = await daemon.create('web');
    const error = await failure(daemon.create('web'));
    expect(error).to.be.instanceOf(NameInUse);
    expect(error.message).to.contain(`The container name "/web" is already in use by container "${Id}"`);
  });

  it('gives name, volumes and layer back when it fails', async () => {
    await failure(daemon.create('web', { Volumes: { '/data': {} }, HostConfig: { Binds: ['!bad:/x'] } }));
    expect(daemon.volumes.list()).to.deep.equal([]);
    expect(await daemon.layersOnDisk()).to.deep.equal([]);
    await daemon.create('web');
  });

  it('takes from the image what is not said, environment by key', async () => {
    await daemon.image('full', {
      Entrypoint: ['/entry'],
      Cmd: ['image'],
      Env: ['A=image', 'B=image'],
      Labels: { a: 'image', b: 'image' },
      User: 'nobody',
      WorkingDir: '/srv/',
      StopSignal: 'SIGINT',
      ExposedPorts: { '80/tcp': {} },
    });
    await daemon.create('web', { Image: 'full', Env: ['B=mine', 'C=mine'], Labels: { b: 'mine' }, Cmd: ['mine'] });
    const { Config, Path, Args } = daemon.containers.get('web');
    expect([Path, ...Args]).to.deep.equal(['/entry', 'mine']);
    expect(Config.Env).to.deep.equal(['B=mine', 'C=mine', 'A=image']);
    expect(Config.Labels).to.deep.include({ a: 'image', b: 'mine' });
    expect(Config).to.deep.include({ User: 'nobody', WorkingDir: '/srv', StopSignal: 'SIGINT' });
    expect(Config.ExposedPorts).to.have.all.keys('80/tcp');
  });

  it("drops the image's command when the entrypoint is the caller's", async () => {
    await daemon.create('web', { Entrypoint: ['/mine'] });
    expect(daemon.containers.get('web')).to.deep.include({ Path: '/mine', Args: [] });
  });

  it('fills in what inspect is to tell', async () => {
    await daemon.create('web', { HostConfig: { Memory: 10_000_000 } });
    const { HostConfig, Config, ID, LogPath } = daemon.containers.get('web');
    expect(HostConfig).to.deep.include({
      MemorySwap: 20_000_000,
      ShmSize: 67_108_864,
      IpcMode: 'private',
      Runtime: 'runc',
    });
    expect(HostConfig.LogConfig).to.deep.equal({ Type: 'json-file', Config: {} });
    expect(Config.Hostname).to.equal(ID.slice(0, 12));
    expect(LogPath).to.equal(join(daemon.containers.folder(ID), `${ID}-json.log`));
  });

  it('makes volumes with and without a name, and those of the image', async () => {
    await daemon.image('db', { Cmd: ['sh'], Volumes: { '/var/db': {}, '/logs': {} } });
    await daemon.create('web', { Image: 'db', HostConfig: { Binds: ['named:/n:ro', 'other:/logs'] } });
    const points = daemon.containers.get('web').MountPoints;
    expect(points.map(({ Destination, RW }) => [Destination, RW])).to.deep.equal([
      ['/n', false],
      ['/logs', true],
      ['/var/db', true],
    ]);
    expect(points[0]?.Name).to.equal('named');
    expect(daemon.volumes.get(points[2]?.Name ?? '')?.anonymous).to.equal(true);
  });

  it('takes volumes from another container', async () => {
    await daemon.create('db', { HostConfig: { Binds: ['data:/data', '/tmp:/t'] } });
    await daemon.create('web', { HostConfig: { VolumesFrom: ['db:ro'], Binds: ['mine:/t'] } });
    const points = daemon.containers.get('web').MountPoints;
    expect(points.map(({ Name, Destination, RW }) => [Name, Destination, RW])).to.deep.equal([
      ['data', '/data', false],
      ['mine', '/t', true],
    ]);
  });

  it('gives a container the name of whose network it shares', async () => {
    const { Id } = await daemon.create('base', { Hostname: 'base.example' });
    await daemon.create('web', { HostConfig: { NetworkMode: 'container:base' } });
    const { Config, HostConfig } = daemon.containers.get('web');
    expect(Config.Hostname).to.equal('base.example');
    expect(HostConfig.NetworkMode).to.equal(`container:${Id}`);
    await daemon.create('on-host', { HostConfig: { NetworkMode: 'host' } });
    expect(daemon.containers.get('on-host').Config.Hostname).to.equal('machine');
  });

  it('makes the host folder of -v when the container starts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'g-'));
    try {
      await daemon.create('web', { Cmd: ['true'], HostConfig: { Binds: [`${folder}/new/deep:/x`] } });
      await daemon.start('web');
      expect((await stat(join(folder, 'new/deep'))).isDirectory()).to.equal(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('keeps fifty that come at once apart', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, (_, index) => daemon.create(`c${index}`)));
    expect(new Set(made.map(({ Id }) => Id)).size).to.equal(50);
    expect(daemon.containers.list()).to.have.length(50);
  });

  it('gives one of many the name that all ask for', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => daemon.create('one')));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect(await daemon.layersOnDisk()).to.have.length(1);
  });

  it('says no to an image only by its own name', async () => {
    expect(await failure(daemon.create('web', { Image: 'nope' }))).to.be.instanceOf(NoSuchImage);
  });

  describe('explain', () => {
    it('tells the spec and the program, and leaves nothing', async () => {
      const body = daemon.body({ Cmd: ['ls', '/'], HostConfig: { NetworkMode: 'none', Binds: ['data:/data'] } });
      const { spec, program } = await daemon.engine.run('explain', [], body);
      expect(spec).to.have.nested.property('process.args').that.deep.equals(['ls', '/']);
      expect(program.at(-1)).to.deep.include({ op: 'execve', owner: 'host' });
      expect(JSON.stringify(program)).to.contain('"ls"');
      expect(daemon.containers.list()).to.deep.equal([]);
      expect(daemon.volumes.list()).to.deep.equal([]);
      expect(await daemon.layersOnDisk()).to.deep.equal([]);
    });
  });
});
