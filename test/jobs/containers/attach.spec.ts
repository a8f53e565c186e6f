import { appendFile, mkdir } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import type { AttachEnv } from '../../../api/jobs.ts';
import { STDERR } from '../../../api/streams.ts';
import { attach } from '../../../jobs/containers/attach.ts';
import { resize } from '../../../jobs/containers/resize.ts';
import { contracts } from '../../../jobs/contracts.ts';
import { asJson, entry } from '../../log/log-files.ts';
import { Puppet } from '../../stand-ins/puppet.ts';
import { Bench, Captured, PAUSED, until } from './bench.ts';
import { hostOf } from './host.ts';

const ENV: AttachEnv = { logs: false, stream: true, stdin: true, stdout: true, stderr: true, detachKeys: '' };

describe('job attach', () => {
  let bench: Bench;
  let process: Puppet;

  beforeEach(async () => {
    bench = await Bench.set();
    process = new Puppet();
    const { containers, logs, supervisor, attachments, events } = bench;
    const deps = { containers, logs, supervisor, attachments, events, host: hostOf() };
    bench.engine.register('attach', { ...contracts.attach, handler: attach(deps) });
    bench.engine.register('resize', { ...contracts.resize, handler: resize(deps) });
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  function attached(env: Partial<AttachEnv> = {}) {
    const stdin = new PassThrough();
    const caller = new AbortController();
    const job = bench.engine.job('attach', ['web'], { ...ENV, ...env }, { stdin, signal: caller.signal });
    const [out, err] = [new Captured(job.stdout), new Captured(job.stderr)];
    const outcome = job.run();
    outcome.catch(() => {});
    return { stdin, caller, out, err, outcome, accepted: job.accepted };
  }

  it('gives what the process says to the end, and says that it has ended', async () => {
    await bench.container({ process });
    const { accepted, outcome, out, err } = attached();
    expect(await accepted).to.deep.equal({ Tty: false });
    process.says('hello\n');
    process.says('oops\n', STDERR);
    process.ends(0);
    expect(await outcome).to.equal('ended');
    expect([out.text, err.text]).to.deep.equal(['hello\n', 'oops\n']);
    expect(bench.seen).to.deep.equal(['attach']);
  });

  it('gives several callers the same', async () => {
    await bench.container({ process });
    const all = [attached(), attached({ stderr: false }), attached()];
    await Promise.all(all.map(({ accepted }) => accepted));
    process.says('for all\n');
    process.says('for some\n', STDERR);
    process.ends(0);
    await Promise.all(all.map(({ outcome }) => outcome));
    expect(all.map(({ out, err }) => out.text + err.text)).to.deep.equal([
      'for all\nfor some\n',
      'for all\n',
      'for all\nfor some\n',
    ]);
  });

  it('shows the log first with logs, and nothing but the log without stream', async () => {
    const { LogPath } = await bench.container({ process });
    await appendFile(LogPath, Buffer.concat([asJson(entry('before\n')), asJson(entry('bad\n', 1, 'stderr'))]));
    const { accepted, outcome, out } = attached({ logs: true });
    await accepted;
    process.says('now\n');
    process.ends(0);
    await outcome;
    expect(out.text).to.equal('before\nnow\n');
    const replay = attached({ logs: true, stream: false });
    expect(await replay.outcome).to.equal('ended');
    expect([replay.out.text, replay.err.text]).to.deep.equal(['before\n', 'bad\n']);
  });

  it("passes the caller's input on, and ends the process's with it where the container says so", async () => {
    await bench.container({ process, config: { OpenStdin: true, StdinOnce: true } });
    const { stdin, outcome } = attached();
    stdin.end('a line\n');
    await until(() => process.isStdinClosed);
    expect(process.heard).to.equal('a line\n');
    process.ends(0);
    expect(await outcome).to.equal('ended');
  });

  it("leaves at the end of the caller's input where the container keeps its own open", async () => {
    await bench.container({ process, config: { OpenStdin: true } });
    const { stdin, outcome } = attached();
    stdin.end('a line\n');
    expect(await outcome).to.equal('detached');
    await until(() => process.heard === 'a line\n' && process.audience === 0);
    expect(process.isStdinClosed).to.equal(false);
  });

  it('keeps input from a container without a stdin', async () => {
    await bench.container({ process });
    const { stdin, accepted, outcome } = attached();
    await accepted;
    stdin.end('lost\n');
    process.ends(0);
    expect(await outcome).to.equal('ended');
    expect(process.heard).to.equal('');
  });

  it('leaves by the detach keys, and the process goes on', async () => {
    await bench.container({ process, config: { OpenStdin: true, Tty: true } });
    const { stdin, outcome } = attached({ detachKeys: 'ctrl-a,x' });
    stdin.write('ls\n\x01');
    await until(() => process.heard === 'ls\n');
    stdin.write('xmore');
    expect(await outcome).to.equal('detached');
    await until(() => process.audience === 0);
    expect(process.heard).to.equal('ls\n');
    expect(bench.seen).to.deep.equal(['attach', 'detach']);
  });

  it('passes the keys on where there is no terminal', async () => {
    await bench.container({ process, config: { OpenStdin: true } });
    const { stdin, outcome } = attached();
    stdin.write('\x10\x11');
    await until(() => process.heard === '\x10\x11');
    process.ends(0);
    expect(await outcome).to.equal('ended');
  });

  it('leaves when the caller goes away', async () => {
    await bench.container({ process });
    const { caller, accepted, outcome } = attached();
    await accepted;
    caller.abort();
    expect(await outcome).to.equal('detached');
    await until(() => process.audience === 0);
    expect(bench.seen).to.deep.equal(['attach']);
  });

  it('waits for the start of a container that does not run', async () => {
    const { ID } = await bench.container();
    const { accepted, outcome, out } = attached();
    await accepted;
    const { requests } = bench.attachments.take(ID);
    for (const request of requests) request.connected(process.connect(request));
    process.says('from the first word\n');
    process.ends(0);
    expect(await outcome).to.equal('ended');
    expect(out.text).to.equal('from the first word\n');
  });

  it('ends when that start fails', async () => {
    const { ID } = await bench.container();
    const { accepted, outcome } = attached();
    await accepted;
    bench.attachments.take(ID).abandon();
    expect(await outcome).to.equal('ended');
  });

  it('no longer waits when the caller goes away', async () => {
    const { ID } = await bench.container();
    const { accepted, outcome, caller } = attached();
    await accepted;
    caller.abort();
    expect(await outcome).to.equal('ended');
    expect(bench.attachments.take(ID).requests).to.deep.equal([]);
  });

  it('is attached no more when the log that it shows first cannot be read', async () => {
    const { LogPath } = await bench.container({ process });
    await mkdir(LogPath);
    const failure = await attached({ logs: true }).outcome.catch((error: unknown) => error);
    expect(String(failure)).to.contain('EISDIR');
    await until(() => process.audience === 0);
  });

  it('no longer waits for a start when the log that it shows first cannot be read', async () => {
    const { ID, LogPath } = await bench.container();
    await mkdir(LogPath);
    await attached({ logs: true }).outcome.catch(() => {});
    expect(bench.attachments.take(ID).requests).to.deep.equal([]);
  });

  it('is not attached by a start that began before the caller went away', async () => {
    const { ID } = await bench.container();
    const { accepted, outcome, caller } = attached();
    await accepted;
    const { requests } = bench.attachments.take(ID);
    caller.abort();
    expect(await outcome).to.equal('ended');
    for (const request of requests) request.connected(process.connect(request));
    await until(() => process.audience === 0);
  });

  it('refuses keys that are none, and a container that is paused or restarting', async () => {
    const record = await bench.container({ state: PAUSED });
    const failed = (env: Partial<AttachEnv>) => attached(env).outcome.catch((failure: unknown) => failure);
    expect(await failed({ detachKeys: 'foo' })).to.include({
      message: 'Invalid detach keys (foo) provided',
      httpStatus: 400,
    });
    expect(await failed({})).to.include({
      message: 'container web is paused, unpause the container before attach',
      httpStatus: 409,
    });
    const ended = { exitCode: 1, oomKilled: false, startedAt: '', finishedAt: '', error: '' };
    await bench.containers.save({ ...record, State: { status: 'restarting', ...ended } });
    expect(await failed({})).to.include({
      message: 'container web is restarting, wait until the container is running',
      httpStatus: 409,
    });
  });

  it('resize reaches the terminal, or is remembered for the next start', async () => {
    const record = await bench.container();
    const failure = await bench.engine.run('resize', ['web', '33', '99'], {}).catch((error: unknown) => error);
    expect(failure).to.include({ message: `Container ${record.ID} is not running`, httpStatus: 409 });
    expect(bench.attachments.take(record.ID).consoleSize).to.deep.equal([33, 99]);
    bench.running.set(record.ID, process);
    await bench.engine.run('resize', ['web', '40', '120'], {});
    expect(process.sizes).to.deep.equal(['40x120']);
    expect(bench.seen).to.deep.equal(['resize height=40 width=120']);
    const bad = await bench.engine.run('resize', ['web', 'x', '1'], {}).catch((error: unknown) => error);
    expect(bad).to.include({ message: 'strconv.Atoi: parsing "x": invalid syntax', httpStatus: 400 });
  });
});
