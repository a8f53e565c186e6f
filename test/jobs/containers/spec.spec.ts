import { expect } from 'chai';
import { containerConfig, hostConfig } from '../../../api/container.ts';
import { containerID, imageID, layerID } from '../../../api/ids.ts';
import type { OciMount, OciSpec } from '../../../api/oci.ts';
import { settleHostConfig } from '../../../jobs/containers/host-config.ts';
import { hostsFile, resolvFile } from '../../../jobs/containers/network-files.ts';
import { type Joins, specFor } from '../../../jobs/containers/spec.ts';
import type { ContainerRecord, MountPoint } from '../../../state/container-record.ts';
import { hostIn } from './small-daemon.ts';

const ID = 'a1'.repeat(32);
const HOST = hostIn('/var/lib/gantry');

interface Given {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly host?: Readonly<Record<string, unknown>>;
  readonly mounts?: readonly MountPoint[];
  readonly joins?: Joins;
  readonly hasRun?: boolean;
}

function spec({ config = {}, host = {}, mounts = [], joins = {}, hasRun = false }: Given = {}): OciSpec {
  const wishes = settleHostConfig(hostConfig({ NetworkMode: 'none', ...host }, 'HostConfig'), HOST);
  const ended = { exitCode: 0, oomKilled: false, startedAt: 'x', finishedAt: 'y', error: '' };
  const record: ContainerRecord = {
    ID: containerID(ID),
    Name: 'web',
    Created: '2026-01-01T00:00:00Z',
    ImageID: imageID(`sha256:${ID}`),
    Config: containerConfig({ Hostname: 'a1a1a1a1a1a1', ...config }, 'Config'),
    HostConfig: wishes,
    Path: 'sh',
    Args: ['-c', 'true'],
    Layer: layerID('b2'.repeat(16)),
    Chain: null,
    Driver: 'overlay2',
    MountPoints: mounts,
    LogPath: '',
    State: hasRun ? { status: 'exited', ...ended } : { status: 'created', exitCode: 0, error: '' },
    RestartCount: 0,
    HasBeenManuallyStopped: false,
  };
  const files = { hosts: '/c/hosts' };
  return specFor(record, { host: HOST, rootfs: '/run/r', joins, files, devices: [] });
}

const mountAt = (given: Given, path: string): OciMount | undefined =>
  spec(given).mounts.find((mount) => mount.destination === path);
const types = (given: Given): string[] => spec(given).linux.namespaces.map(({ type }) => type);

const volume = (Destination: string, more: Partial<MountPoint> = {}): MountPoint => ({
  Type: 'volume',
  Name: 'v',
  Source: '/v/_data',
  Destination,
  Driver: 'local',
  Mode: 'z',
  RW: true,
  Propagation: '',
  ...more,
});

describe('OCI spec of a container', () => {
  it('has the defaults of Docker', () => {
    const { process, linux, root, mounts, hostname } = spec();
    expect(process.args).to.deep.equal(['sh', '-c', 'true']);
    expect(process.env).to.deep.equal([
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOSTNAME=a1a1a1a1a1a1',
    ]);
    expect(process).to.deep.include({ cwd: '/', terminal: false, noNewPrivileges: false, oomScoreAdj: 0, rlimits: [] });
    expect(process.capabilities.bounding).to.have.length(14).and.not.include('CAP_SYS_ADMIN');
    expect(process.capabilities.effective).to.deep.equal(process.capabilities.bounding);
    expect([...process.capabilities.inheritable, ...process.capabilities.ambient]).to.deep.equal([]);
    expect(root).to.deep.equal({ path: '/run/r', readonly: false });
    expect(hostname).to.equal('a1a1a1a1a1a1');
    expect(linux.namespaces.map(({ type }) => type)).to.deep.equal(['mount', 'network', 'uts', 'pid', 'ipc']);
    expect(linux.cgroupsPath).to.equal(`/gantry/${ID}`);
    expect(linux.seccomp?.defaultAction).to.equal('SCMP_ACT_ERRNO');
    expect(linux.maskedPaths).to.include('/proc/kcore').and.include('/sys/firmware');
    expect(linux.readonlyPaths).to.include('/proc/sys');
    expect(linux.sysctl).to.have.property('net.ipv4.ip_unprivileged_port_start', '0');
    expect(linux.resources.devices[0]).to.deep.include({ allow: false, type: 'a' });
    expect(mounts.map(({ destination }) => destination)).to.deep.equal([
      '/proc',
      '/dev',
      '/sys',
      '/dev/pts',
      '/dev/mqueue',
      '/dev/shm',
      '/etc/hosts',
      '/sys/fs/cgroup',
    ]);
    expect(mounts.at(2)?.options).to.include('ro');
  });

  it('lets the config win over the environment, and take a key out', () => {
    const { env } = spec({ config: { Env: ['PATH=/bin', 'A=1', 'HOSTNAME'], Tty: true } }).process;
    expect(env).to.deep.equal(['PATH=/bin', 'TERM=xterm', 'A=1']);
  });

  it('opens everything for --privileged', () => {
    const { process, linux, mounts } = spec({ host: { Privileged: true } });
    expect(process.capabilities.bounding).to.have.length(41);
    expect(linux.seccomp).to.equal(null);
    expect([...linux.maskedPaths, ...linux.readonlyPaths]).to.deep.equal([]);
    expect(linux.resources.devices).to.deep.equal([
      { allow: true, type: 'a', major: null, minor: null, access: 'rwm' },
    ]);
    expect(mounts.find(({ destination }) => destination === '/sys')?.options).to.not.include('ro');
  });

  it('gives and takes capabilities', () => {
    const { bounding } = spec({ host: { CapAdd: ['net_admin'], CapDrop: ['ALL'] } }).process.capabilities;
    expect(bounding).to.deep.equal(['CAP_NET_ADMIN']);
  });

  it('reads --security-opt', () => {
    expect(spec({ host: { SecurityOpt: ['no-new-privileges'] } }).process.noNewPrivileges).to.equal(true);
    expect(spec({ host: { SecurityOpt: ['no-new-privileges=false'] } }).process.noNewPrivileges).to.equal(false);
    expect(spec({ host: { SecurityOpt: ['seccomp=unconfined'] } }).linux.seccomp).to.equal(null);
    expect(spec({ host: { SecurityOpt: ['systempaths=unconfined'] } }).linux.maskedPaths).to.deep.equal([]);
    const own = spec({ host: { SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] } });
    expect(own.linux.seccomp?.defaultAction).to.equal('SCMP_ACT_ALLOW');
  });

  it('shares the namespaces that are asked for', () => {
    expect(types({ host: { NetworkMode: 'host', PidMode: 'host', IpcMode: 'host', UTSMode: 'host' } })).to.deep.equal([
      'mount',
    ]);
    expect(spec({ host: { NetworkMode: 'host' } }).linux.sysctl).to.deep.equal({});
    expect(types({ host: { CgroupnsMode: 'private' } })).to.include('cgroup');
    const joins = { network: '/proc/7/ns/net', pid: '/proc/7/ns/pid' };
    const given = { host: { NetworkMode: `container:${ID}`, PidMode: `container:${ID}` }, joins };
    expect(spec(given).linux.namespaces).to.deep.include({ type: 'network', path: '/proc/7/ns/net' });
    expect(spec(given).linux.namespaces).to.deep.include({ type: 'pid', path: '/proc/7/ns/pid' });
    expect(mountAt({ host: { IpcMode: 'host' } }, '/dev/shm')).to.deep.include({ type: 'bind', source: '/dev/shm' });
    expect(mountAt({ host: { IpcMode: 'none' } }, '/dev/shm')).to.equal(undefined);
  });

  it('counts limits in what the kernel counts in', () => {
    const { resources } = spec({
      host: { Memory: 10_000_000, NanoCpus: 1_500_000_000, PidsLimit: 0, CpuShares: 512 },
    }).linux;
    expect(resources.memory).to.deep.include({ limit: 10_000_000, swap: 20_000_000, reservation: null });
    expect(resources.cpu).to.deep.include({ quota: 150_000, period: 100_000, shares: 512 });
    expect(resources.pids.limit).to.equal(null);
    expect(spec({ host: { PidsLimit: -5 } }).linux.resources.pids.limit).to.equal(null);
  });

  it('has ulimits, groups, sysctls, device rules', () => {
    const { process, linux } = spec({
      host: {
        Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
        GroupAdd: ['5', 'audio'],
        Sysctls: { 'net.ipv4.ip_forward': '1' },
        DeviceCgroupRules: ['c 10:* rw'],
      },
    });
    expect(process.rlimits).to.deep.equal([{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }]);
    expect(process.user.additionalGids).to.deep.equal([5]);
    expect(process.groupNames).to.deep.equal(['audio']);
    expect(linux.sysctl).to.include({ 'net.ipv4.ip_forward': '1' });
    expect(linux.resources.devices.at(-1)).to.deep.equal({
      allow: true,
      type: 'c',
      major: 10,
      minor: null,
      access: 'rw',
    });
  });

  it("mounts the user's after what lies below, and instead of the defaults", () => {
    const mounts = [volume('/a/b/c'), volume('/a'), volume('/dev/shm'), volume('/etc/hosts')];
    const order = spec({ mounts }).mounts.map(({ destination }) => destination);
    expect(order.indexOf('/a')).to.be.lessThan(order.indexOf('/a/b/c'));
    for (const path of ['/dev/shm', '/etc/hosts']) expect(order.filter((each) => each === path)).to.have.length(1);
    expect(mountAt({ mounts }, '/dev/shm')?.type).to.equal('bind');
  });

  it('fills a volume from the image before the first run, unless told not to', () => {
    expect(mountAt({ mounts: [volume('/a')] }, '/a')?.copyUp).to.equal(true);
    expect(mountAt({ mounts: [volume('/a')], hasRun: true }, '/a')?.copyUp).to.equal(undefined);
    expect(mountAt({ mounts: [volume('/a', { Mode: 'nocopy' })] }, '/a')?.copyUp).to.equal(undefined);
    const Mounts = [{ Type: 'volume', Source: 'v', Target: '/a', VolumeOptions: { NoCopy: true } }];
    expect(mountAt({ mounts: [volume('/a')], host: { Mounts } }, '/a')?.copyUp).to.equal(undefined);
  });

  it('makes read-only binds read-only all the way down', () => {
    const bind = volume('/b', { Type: 'bind', Name: '', RW: false, Propagation: 'rslave' });
    expect(mountAt({ mounts: [bind] }, '/b')?.options).to.deep.equal(['rbind', 'rro', 'rslave']);
    const Mounts = [{ Type: 'bind', Source: '/s', Target: '/b', BindOptions: { ReadOnlyNonRecursive: true } }];
    expect(mountAt({ mounts: [bind], host: { Mounts } }, '/b')?.options)
      .to.include('ro')
      .and.not.include('rro');
  });

  it('has tmpfs with safe defaults that can be turned round', () => {
    expect(mountAt({ host: { Tmpfs: { '/t': 'size=1m,exec' } } }, '/t')?.options).to.deep.equal([
      'nosuid',
      'nodev',
      'size=1m',
      'exec',
    ]);
    const point = volume('/t', { Type: 'tmpfs', Name: '', Source: '' });
    const Mounts = [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } }];
    expect(mountAt({ mounts: [point], host: { Mounts } }, '/t')?.options).to.include.members(['mode=700', 'size=4096']);
  });
});

describe('files of a container about its network', () => {
  it('name the local host and what --add-host says', () => {
    const lines = hostsFile({ ExtraHosts: ['db:10.0.0.1', 'six:[::7]'] })
      .trimEnd()
      .split('\n');
    expect(lines[0]).to.equal('127.0.0.1\tlocalhost');
    expect(lines.slice(-2)).to.deep.equal(['10.0.0.1\tdb', '::7\tsix']);
  });

  const HOSTS = '# made by hand\nnameserver 10.0.0.53\nsearch corp\noptions ndots:2\n';
  const CASES: readonly [Dns: string[], DnsSearch: string[], DnsOptions: string[], text: string][] = [
    [[], [], [], HOSTS],
    [['1.1.1.1'], [], [], 'search corp\nnameserver 1.1.1.1\noptions ndots:2\n'],
    [[], ['lab', 'corp'], [], 'search lab corp\nnameserver 10.0.0.53\noptions ndots:2\n'],
    [[], ['.'], ['rotate'], 'nameserver 10.0.0.53\noptions rotate\n'],
  ];
  for (const [Dns, DnsSearch, DnsOptions, text] of CASES) {
    it(`resolve by ${JSON.stringify({ Dns, DnsSearch, DnsOptions })}`, () => {
      expect(resolvFile(HOSTS, { Dns, DnsSearch, DnsOptions })).to.equal(text);
    });
  }
});
