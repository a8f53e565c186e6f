import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../config.ts';

describe('the configuration', () => {
  let folder: string;
  let file: string;
  const load = (...flags: string[]) => loadConfig(['--config-file', file, ...flags]);
  const written = (text: string, ...flags: string[]) => {
    writeFileSync(file, text);
    return load(...flags);
  };

  beforeEach(() => {
    folder = mkdtempSync('/tmp/g-');
    file = join(folder, 'daemon.json');
    writeFileSync(file, '{}');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('has defaults', () => {
    expect(load()).to.include({
      'data-root': '/var/lib/gantry',
      'exec-root': '/run/gantry',
      'log-driver': 'json-file',
      'default-shm-size': 64 * 1024 * 1024,
      'shutdown-timeout': 15,
      debug: false,
      isCheckOnly: false,
    });
  });

  it('is read from flags, long and short', () => {
    const config = load(
      '-D',
      '-H',
      'unix:///a',
      '--host=tcp://127.0.0.1:1',
      '--data-root',
      '/d',
      '-s',
      'vfs',
      '-l',
      'warn',
    );
    expect(config).to.include({ debug: true, 'data-root': '/d', 'storage-driver': 'vfs', 'log-level': 'warn' });
    expect(config.hosts).to.deep.equal(['unix:///a', 'tcp://127.0.0.1:1']);
  });

  it('is read from the file', () => {
    const config = written(
      '{"debug": true, "hosts": ["unix:///a"], "log-opts": {"max-size": "10m", "max-file": 3}, "default-shm-size": "128M",' +
        '"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 10, "Hard": 20}}, "labels": ["a=b"]}',
    );
    expect(config).to.deep.include({
      debug: true,
      hosts: ['unix:///a'],
      'log-opts': { 'max-size': '10m', 'max-file': '3' },
      'default-shm-size': 128 * 1024 * 1024,
      'default-ulimits': [{ Name: 'nofile', Soft: 10, Hard: 20 }],
      labels: ['a=b'],
    });
  });

  it('gathers lists and maps over several flags', () => {
    const config = load('--log-opt', 'max-size=1m', '--log-opt', 'tag=a=b', '--label', 'x=1', '--label', 'y=2');
    expect(config['log-opts']).to.deep.equal({ 'max-size': '1m', tag: 'a=b' });
    expect(config.labels).to.deep.equal(['x=1', 'y=2']);
  });

  it('takes truth behind a switch, as dockerd does', () => {
    expect(load('--iptables=false', '--live-restore=true', '--init')).to.include({ iptables: false, init: true });
    expect(() => load('--init=perhaps')).to.throw('invalid argument "perhaps" for "--init" flag');
  });

  it('reads limits', () => {
    expect(load('--default-ulimit', 'nofile=10:20', '--default-ulimit', 'core=0')['default-ulimits']).to.deep.equal([
      { Name: 'nofile', Soft: 10, Hard: 20 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ]);
  });

  it('is the defaults when the file is empty', () => {
    expect(written('').debug).to.equal(false);
  });

  describe('a file that is wrong is refused with the place:', () => {
    const cases: readonly (readonly [what: string, text: string, words: string])[] = [
      [
        'an unknown key',
        '{\n  "debug": true,\n  "debgu": 1\n}',
        "line 3, column 3: the following directives don't match any configuration option: debgu",
      ],
      ['a wrong type', '{\n  "debug": "yes"\n}', 'line 2, column 3: debug: expected true or false, got string "yes"'],
      [
        'a wrong type deep inside',
        '{"hosts": ["a", 1]}',
        'line 1, column 2: hosts[1]: expected a string, got number 1',
      ],
      ['a bad size', '{"default-shm-size": "much"}', "line 1, column 2: default-shm-size: invalid size: 'much'"],
      [
        'a key that is there twice',
        '{"debug": true,\n "debug": false}',
        'line 2, column 2: the directive debug is there twice',
      ],
      ['what is no JSON', '{\n  "debug": true,\n}', 'line 3, column 1: '],
      ['what ends too soon', '{"debug": true', 'line 1, column 15: '],
      ['what is no object', '[]', 'line 1, column 1: the file must hold one JSON object'],
      ['a bridge', '{"bridge": "br0"}', 'bridge networks are not there yet'],
      [
        'a foreign runtime',
        '{"runtimes": {"runc": {"path": "runc"}}}',
        'runc: other runtimes than gantry itself are not there yet',
      ],
      [
        'a key of a nested object that only looks like one of ours',
        '{"log-opts": {"debug": {}}}',
        'log-opts.debug: expected a string',
      ],
    ];
    for (const [what, text, words] of cases) {
      it(what, () => {
        expect(() => written(text))
          .to.throw(words)
          .with.property('message')
          .that.includes(file);
      });
    }

    it('a file that was asked for and is not there', () => {
      rmSync(file);
      expect(() => load()).to.throw(`open ${file}: no such file or directory`);
    });
  });

  it('refuses what stands in the file and in a flag', () => {
    expect(() => written('{"debug": false, "labels": ["a=b"]}', '-D', '--label', 'c=d')).to.throw(
      'the following directives are specified both as a flag and in the configuration file: ' +
        'debug: (from flag: true, from file: false), labels: (from flag: [c=d], from file: [a=b])',
    );
  });

  const refused: readonly (readonly [flags: string[], words: string])[] = [
    [['--log-driver', 'syslog'], "logger: no log driver named 'syslog' is registered"],
    [['--exec-opt', 'native.cgroupdriver=systemd'], 'only cgroupfs is there'],
    [['--default-runtime', 'runc'], "specified default runtime 'runc' does not exist"],
    [['--data-root', 'relative'], 'relative is not an absolute path'],
    [['--exec-root', `/${'x'.repeat(60)}`], 'is longer than 60 bytes'],
    [['--default-ulimit', 'nofile=20:10'], 'ulimit soft limit must be less than or equal to hard limit: 20 > 10'],
    [['--label', 'no-value'], 'bad attribute format: no-value'],
    [['--log-level', 'loud'], 'log-level: expected one of debug, info, warn, error, fatal'],
    [['--shutdown-timeout', 'soon'], 'invalid argument "soon" for "--shutdown-timeout" flag'],
    [['--log-opt', 'nothing'], 'it must be of the form name=value'],
  ];
  for (const [flags, words] of refused) {
    it(`refuses ${flags.join(' ')}`.slice(0, 70), () => {
      expect(() => load(...flags)).to.throw(words);
    });
  }

  it('knows that it is only to be checked', () => {
    expect(load('--validate').isCheckOnly).to.equal(true);
  });
});
