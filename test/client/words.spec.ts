import { expect } from 'chai';
import { envOf } from '../../client/env.ts';
import { hostOf } from '../../client/host.ts';
import { RUN_FLAGS } from '../../client/run-flags.ts';
import { bytes, cpus, device, mount, restart, ulimit } from '../../client/run-values.ts';
import { durationOf } from '../../client/trace-tree.ts';
import { rejection } from '../stand-ins/rejection.ts';

describe('env words', () => {
  const plain = (words: string[]): unknown => JSON.parse(JSON.stringify(envOf(words)));

  it('are JSON where they parse, text elsewhere', () => {
    const words = ['Image=busybox', 'Tty=true', 'Cmd=["sh","-c"]', 'Memory=64', 'Empty=', 'Eq=a=b', 'Quoted="12"'];
    expect(plain(words)).to.deep.equal({
      ...{ Image: 'busybox', Tty: true, Cmd: ['sh', '-c'], Memory: 64, Empty: '', Eq: 'a=b', Quoted: '12' },
    });
  });

  it('lead inside by dots', () => {
    const words = ['HostConfig.Memory=64', 'HostConfig.RestartPolicy.Name=always'];
    expect(plain(words)).to.deep.equal({ HostConfig: { Memory: 64, RestartPolicy: { Name: 'always' } } });
  });

  it('change no number that a double does not hold', () => {
    expect(plain(['since=9007199254740993'])).to.deep.equal({ since: '9007199254740993' });
  });

  it('reach no prototype', () => {
    envOf(['__proto__.polluted=1', 'constructor.prototype.polluted=1']);
    expect({}).not.to.have.property('polluted');
  });

  it('are refused when they are none, or contradict one another', () => {
    for (const words of [['A'], ['=1'], ['A..B=1'], ['.A=1'], ['A=1', 'A.B=2']]) {
      expect(() => envOf(words), words.join(' ')).to.throw();
    }
  });
});

describe('the host', () => {
  const none = { host: null, tls: false, tlsverify: false, tlscacert: null, tlscert: null, tlskey: null };

  it('is that of the flag, then of DOCKER_HOST, then the default socket', async () => {
    const env = { DOCKER_HOST: 'tcp://b:1' };
    expect((await hostOf({ ...none, host: 'unix:///a' }, env)).options).to.deep.equal({ socketPath: '/a' });
    expect((await hostOf(none, env)).options).to.deep.equal({ host: 'b', port: 1 });
    expect((await hostOf(none, {})).name).to.equal('unix:///var/run/gantry.sock');
  });

  it('has the ports that docker has', async () => {
    expect((await hostOf({ ...none, host: 'tcp://[::1]' }, {})).options).to.deep.equal({ host: '::1', port: 2375 });
    const secure = await hostOf({ ...none, host: 'tcp://b', tls: true }, { HOME: '/nowhere' });
    expect(secure.isSecure).to.equal(true);
    expect(secure.options).to.deep.equal({ host: 'b', port: 2376, rejectUnauthorized: false });
  });

  it('is not spoken to without the certificates that were asked for', async () => {
    const env = { DOCKER_HOST: 'tcp://b', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere' };
    expect(await rejection(hostOf(none, env)))
      .to.have.property('message')
      .that.contains('could not read /nowhere/ca.pem');
  });
});

describe('flags of docker run', () => {
  it('say a log driver and its options in any order', () => {
    const words = [
      ['--log-opt <KEY=VALUE>', 'max-size=1m'],
      ['--log-driver <name>', 'local'],
      ['--log-opt <KEY=VALUE>', 'max-file=2'],
    ] as const;
    for (const order of [words, words.toReversed()]) {
      const draft = { name: null, config: {}, hostConfig: {}, env: {} };
      for (const [flags, value] of order) RUN_FLAGS.find((flag) => flag.flags === flags)?.apply(draft, value);
      expect(draft.hostConfig).to.deep.equal({
        LogConfig: { Type: 'local', Config: { 'max-size': '1m', 'max-file': '2' } },
      });
    }
  });
});

describe('values of flags', () => {
  it('are sizes', () => {
    const cases = { '64m': 67108864, '1.5g': 1610612736, '100': 100, '2KiB': 2048, '1kb': 1024, '-1': -1, '0': 0 };
    for (const [text, size] of Object.entries(cases)) expect(bytes(text), text).to.equal(size);
    for (const text of ['', 'm', '64x', '-2', '1,5g'])
      expect(() => bytes(text), text).to.throw(`invalid size: '${text}'`);
  });

  it('are cpus, limits, devices and policies', () => {
    expect(cpus('0.5')).to.equal(500_000_000);
    expect(ulimit('nofile=10')).to.deep.equal({ Name: 'nofile', Soft: 10, Hard: 10 });
    expect(ulimit('nofile=10:20')).to.deep.equal({ Name: 'nofile', Soft: 10, Hard: 20 });
    expect(restart('on-failure:3')).to.deep.equal({ Name: 'on-failure', MaximumRetryCount: 3 });
    const fuse = { PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'r' };
    expect(device('/dev/fuse:r')).to.deep.equal(fuse);
    expect(device('/dev/fuse:/f:rw')).to.deep.equal({ ...fuse, PathInContainer: '/f', CgroupPermissions: 'rw' });
  });

  it('are mounts', () => {
    expect(mount('type=tmpfs,dst=/t,tmpfs-size=1k,tmpfs-mode=1777')).to.deep.equal({
      ...{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024, Mode: 0o1777 } },
    });
    expect(() => mount('type=bind,src=/a')).to.throw('target is required');
    expect(() => mount('colour=red,dst=/a')).to.throw("unexpected key 'colour'");
  });

  it('are durations', () => {
    expect([0, 999, 1500, 2_500_000, 3e9].map(durationOf)).to.deep.equal([
      '0 ns',
      '999 ns',
      '1.5 µs',
      '2.5 ms',
      '3.00 s',
    ]);
  });
});
