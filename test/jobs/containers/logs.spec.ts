import { appendFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { LogsEnv } from '../../../api/jobs.ts';
import { logs } from '../../../jobs/containers/logs.ts';
import { contracts } from '../../../jobs/contracts.ts';
import type { ContainerRecord } from '../../../state/container-record.ts';
import { asJson, entry } from '../../log/log-files.ts';
import { Puppet } from '../../stand-ins/puppet.ts';
import { Bench, Captured } from './bench.ts';
import { hostOf } from './host.ts';

const ENV: LogsEnv = {
  follow: false,
  stdout: true,
  stderr: true,
  since: '',
  until: '',
  timestamps: false,
  tail: 'all',
  details: false,
};

describe('job logs', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.set();
    const { containers, logs: drivers, supervisor } = bench;
    bench.engine.register('logs', {
      ...contracts.logs,
      handler: logs({ containers, logs: drivers, supervisor, host: hostOf() }),
    });
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  async function read(env: Partial<LogsEnv> = {}, reference = 'web') {
    const job = bench.engine.job('logs', [reference], { ...ENV, ...env });
    const [out, err] = [new Captured(job.stdout), new Captured(job.stderr)];
    await job.run();
    return { out: out.text, err: err.text };
  }

  async function written(about: Parameters<Bench['container']>[0] = {}) {
    const record = await bench.container(about);
    await appendFile(
      record.LogPath,
      Buffer.concat([
        asJson(entry('one\n', 1)),
        asJson(entry('oops\n', 2, 'stderr')),
        asJson(entry('part of ', 3)),
        asJson(entry('a line\n', 3)),
      ]),
    );
    return record;
  }

  it('gives stdout and stderr apart', async () => {
    await written();
    expect(await read()).to.deep.equal({ out: 'one\npart of a line\n', err: 'oops\n' });
    expect(await read({ stdout: false })).to.deep.equal({ out: '', err: 'oops\n' });
  });

  it('counts the tail over both, as Docker does', async () => {
    await written();
    expect(await read({ tail: '3', stderr: false })).to.deep.equal({ out: 'part of a line\n', err: '' });
    expect(await read({ tail: '0' })).to.deep.equal({ out: '', err: '' });
    expect((await read({ tail: 'nonsense' })).err).to.equal('oops\n');
    expect((await read({ tail: '-3' })).err).to.equal('oops\n');
  });

  it('puts nine digits of a second before every entry, also of a part of a line', async () => {
    await written();
    expect((await read({ timestamps: true, tail: '2' })).out).to.equal(
      '2024-05-01T10:00:03.000000000Z part of 2024-05-01T10:00:03.000000000Z a line\n',
    );
  });

  it('shows chosen labels, variables and the tag, sorted and escaped', async () => {
    await written({
      config: { Labels: { 'a b': 'x,y=z', other: '1' }, Env: ['FOO=bar', 'B=2'] },
      logOptions: { labels: 'a b', env: 'FOO', tag: '{{.Name}}/{{.ImageName}}' },
    });
    expect((await read({ details: true, tail: '1', timestamps: true })).out).to.equal(
      '2024-05-01T10:00:03.000000000Z FOO=bar,a+b=x%2Cy%3Dz,tag=web%2Fbusybox a line\n',
    );
  });

  it('keeps to since and until', async () => {
    await written();
    expect(await read({ since: '2024-05-01T10:00:02Z', until: '1714557602' })).to.deep.equal({
      out: '',
      err: 'oops\n',
    });
    expect((await read({ until: '0' })).out).to.equal('one\npart of a line\n');
  });

  /** As the supervisor has it. */
  const ends = (record: ContainerRecord) => {
    const at = '2024-05-01T11:00:00Z';
    const State = {
      status: 'exited',
      exitCode: 0,
      oomKilled: false,
      startedAt: at,
      finishedAt: at,
      error: '',
    } as const;
    return bench.containers.save({ ...record, State }, 'memory');
  };

  it('follows a running container to its end', async () => {
    const record = await written({ process: new Puppet() });
    const job = bench.engine.job('logs', ['web'], { ...ENV, follow: true, tail: '1' });
    const out = new Captured(job.stdout);
    const running = job.run();
    expect(await job.accepted).to.deep.equal({ Tty: false });
    await out.holds('a line\n');
    await appendFile(record.LogPath, asJson(entry('more\n', 4)));
    await out.holds('more\n');
    await appendFile(record.LogPath, asJson(entry('last\n', 5)));
    await ends(record);
    await running;
    expect(out.text).to.equal('a line\nmore\nlast\n');
  });

  it('leaves nothing behind with a container that goes on when its reader has gone', async () => {
    await written({ process: new Puppet() });
    const watch = bench.containers.watch.bind(bench.containers);
    let watching = 0;
    bench.containers.watch = (id, changed) => {
      watching++;
      const unwatch = watch(id, changed);
      return () => {
        watching--;
        unwatch();
      };
    };
    const leaving = new AbortController();
    const job = bench.engine.job('logs', ['web'], { ...ENV, follow: true }, { signal: leaving.signal });
    const running = job.run().catch(() => {});
    await job.accepted;
    expect(watching).to.equal(1);
    leaving.abort();
    await running;
    expect(watching).to.equal(0);
  });

  it('does not wait for a container that does not run', async () => {
    await written();
    expect((await read({ follow: true, tail: '1' })).out).to.equal('a line\n');
  });

  const refused: readonly (readonly [what: string, env: Partial<LogsEnv>, words: string, status: number])[] = [
    ['no stream', { stdout: false, stderr: false }, 'Bad parameters: you must choose at least one stream', 400],
    ['a bad since', { since: 'abc' }, 'strconv.ParseInt: parsing "abc": invalid syntax', 400],
    ['a bad until', { until: '1.x' }, 'strconv.ParseInt: parsing "x": invalid syntax', 400],
  ];
  for (const [what, env, words, httpStatus] of refused) {
    it(`refuses ${what}`, async () => {
      await written();
      const error = await read(env).catch((failure: unknown) => failure);
      expect(error).to.include({ message: words, httpStatus });
    });
  }

  it('refuses a container that is not there, is being removed, or keeps no log', async () => {
    const failed = (reference: string) => read({}, reference).catch((failure: unknown) => failure);
    expect(await failed('nope')).to.include({ message: 'No such container: nope', httpStatus: 404 });
    const silent = await bench.container({ host: { LogConfig: { Type: 'none', Config: {} } } });
    expect(await failed(silent.ID)).to.include({
      message: 'configured logging driver does not support reading',
      httpStatus: 501,
    });
    await bench.containers.save({ ...silent, State: { status: 'removing', before: silent.State, volumes: false } });
    expect(await failed(silent.ID)).to.include({
      message: 'can not get logs from container which is dead or marked for removal',
      httpStatus: 409,
    });
  });
});
