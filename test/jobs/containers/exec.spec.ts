import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { execConfig } from '../../../api/container.ts';
import { CommandNotExecutable, CommandNotFound } from '../../../api/errors.ts';
import type { ExecStartEnv } from '../../../api/jobs.ts';
import type { ExecRequest } from '../../../drivers/exec/driver.ts';
import { execCreate } from '../../../jobs/containers/exec-create.ts';
import { execInspect } from '../../../jobs/containers/exec-inspect.ts';
import { execResize } from '../../../jobs/containers/exec-resize.ts';
import { execStart } from '../../../jobs/containers/exec-start.ts';
import { contracts } from '../../../jobs/contracts.ts';
import { Puppet } from '../../stand-ins/puppet.ts';
import { Bench, Captured, PAUSED, Starter, until } from './bench.ts';
import { hostOf } from './host.ts';

const START: ExecStartEnv = { Detach: false, Tty: false, ConsoleSize: null };

describe('jobs exec_create, exec_start, exec_inspect, exec_resize', () => {
  let bench: Bench;
  let process: Puppet;
  let starter: Starter;
  let start: (request: ExecRequest) => Puppet;

  beforeEach(async () => {
    bench = await Bench.set();
    process = new Puppet();
    start = ({ stdio }) => {
      for (const request of stdio.attach) request.connected(process.connect(request));
      return process;
    };
    starter = new Starter((request) => start(request));
    const { containers, execs, events } = bench;
    const deps = { containers, execs, events, exec: starter, host: hostOf() };
    bench.engine.register('exec_create', { ...contracts.exec_create, handler: execCreate(deps) });
    bench.engine.register('exec_start', { ...contracts.exec_start, handler: execStart(deps) });
    bench.engine.register('exec_inspect', { ...contracts.exec_inspect, handler: execInspect(deps) });
    bench.engine.register('exec_resize', { ...contracts.exec_resize, handler: execResize(deps) });
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  const create = async (config: Readonly<Record<string, unknown>>) =>
    (await bench.engine.run('exec_create', ['web'], execConfig({ Cmd: ['true'], ...config }, ''))).Id;
  const inspect = (id: string) => bench.engine.run('exec_inspect', [id], {});
  const failureOf = (work: Promise<unknown>) => work.then(() => null).catch((error: unknown) => error);

  function started(id: string, env: Partial<ExecStartEnv> = {}) {
    const stdin = new PassThrough();
    const job = bench.engine.job('exec_start', [id], { ...START, ...env }, { stdin });
    const [out, err] = [new Captured(job.stdout), new Captured(job.stderr)];
    const outcome = job.run();
    outcome.catch(() => {});
    return { stdin, out, err, outcome, accepted: job.accepted };
  }

  it('runs a process to its end; its code is known when the streams end', async () => {
    await bench.container({ process });
    const id = await create({ Cmd: ['sh', '-c', 'exit 3'], AttachStdin: true, AttachStdout: true });
    const { stdin, out, outcome, accepted } = started(id);
    expect(await accepted).to.deep.equal({ Tty: false });
    await until(() => process.audience === 1);
    expect(await inspect(id)).to.include({ Running: true, ExitCode: null, Pid: process.pid });
    stdin.end('in');
    await until(() => process.isStdinClosed);
    process.says('out');
    process.ends(3);
    expect(await outcome).to.equal('ended');
    expect([process.heard, out.text]).to.deep.equal(['in', 'out']);
    expect(await inspect(id)).to.include({ Running: false, ExitCode: 3 });
    expect(bench.seen).to.deep.equal([
      'exec_create: sh -c exit 3 execID=<id>',
      'exec_start: sh -c exit 3 execID=<id>',
      'exec_die execID=<id> exitCode=3',
    ]);
  });

  it('inspect says what Docker says', async () => {
    const { ID: ContainerID } = await bench.container({ process });
    const ID = await create({ Cmd: ['env'], User: 'joe', Tty: true, AttachStdout: true, DetachKeys: 'ctrl-a,x' });
    expect(await inspect(ID)).to.deep.equal({
      ID,
      Running: false,
      ExitCode: null,
      ProcessConfig: { tty: true, entrypoint: 'env', arguments: [], privileged: false, user: 'joe' },
      OpenStdin: false,
      OpenStderr: false,
      OpenStdout: true,
      CanRemove: false,
      ContainerID,
      DetachKeys: 'AXg=',
      Pid: 0,
    });
  });

  it("has the container's environment, user, folder and powers, and its own over them", async () => {
    await bench.container({
      process,
      config: { Hostname: 'box', Env: ['FOO=bar', 'A=1'], User: 'app', WorkingDir: '/srv', Tty: true },
      host: { CapDrop: ['ALL'] },
    });
    await started(await create({}), { Detach: true }).outcome;
    await started(
      await create({ Env: ['X=1', 'FOO', 'A=2'], User: 'joe', WorkingDir: '/tmp', Privileged: true, Tty: true }),
      { Detach: true },
    ).outcome;
    const [plain, own] = starter.requests;
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    expect(plain?.process).to.deep.include({
      args: ['true'],
      env: [path, 'HOSTNAME=box', 'FOO=bar', 'A=1'],
      cwd: '/srv',
      terminal: false,
    });
    expect(plain?.user).to.equal('app');
    expect(plain?.process.capabilities.bounding).to.deep.equal([]);
    expect(own?.process).to.deep.include({ cwd: '/tmp', terminal: true });
    expect([...(own?.process.env ?? [])].sort()).to.deep.equal(
      [path, 'HOSTNAME=box', 'TERM=xterm', 'A=2', 'X=1'].sort(),
    );
    expect(own?.user).to.equal('joe');
    expect(own?.process.capabilities.effective).to.include('CAP_SYS_ADMIN');
  });

  it('tells a start that fails on stdout, and keeps the code', async () => {
    await bench.container({ process });
    const words = 'OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": no: unknown';
    start = () => {
      throw new CommandNotFound(words);
    };
    const missing = await create({ AttachStdout: true });
    const { out, outcome } = started(missing);
    expect(await outcome).to.equal('ended');
    expect(out.text).to.equal(`${words}\r\n`);
    expect(await inspect(missing)).to.include({ Running: false, ExitCode: 127 });
    start = () => {
      throw new CommandNotExecutable(words);
    };
    const detached = await create({});
    expect(await failureOf(started(detached, { Detach: true }).outcome)).to.include({
      message: words,
      httpStatus: 400,
    });
    expect(await inspect(detached)).to.include({ ExitCode: 126 });
  });

  it('goes on when it is detached from', async () => {
    await bench.container({ process });
    const id = await create({ AttachStdin: true, AttachStdout: true, Tty: true });
    const { stdin, outcome } = started(id, { Tty: true });
    stdin.write('\x10\x11');
    expect(await outcome).to.equal('detached');
    expect(await inspect(id)).to.include({ Running: true });
    process.ends(0);
    await until(() => bench.seen.length === 4);
    expect(bench.seen.slice(2)).to.deep.equal(['exec_detach execID=<id>', 'exec_die execID=<id> exitCode=0']);
  });

  it('runs once', async () => {
    await bench.container({ process });
    const id = await create({});
    await started(id, { Detach: true }).outcome;
    expect(await failureOf(started(id).outcome)).to.include({
      message: `Error: Exec command ${id} is already running`,
      httpStatus: 409,
    });
    process.ends(0);
    await until(() => bench.seen.at(-1)?.startsWith('exec_die') === true);
    expect(await failureOf(started(id).outcome)).to.include({
      message: `Error: Exec command ${id} has already run`,
      httpStatus: 409,
    });
  });

  it('begins with the size that was asked for, and takes others', async () => {
    await bench.container({ process });
    const id = await create({ Tty: true, ConsoleSize: [20, 30] });
    await started(id, { Detach: true, ConsoleSize: [33, 99] }).outcome;
    expect(starter.requests[0]?.stdio.consoleSize).to.deep.equal([33, 99]);
    await bench.engine.run('exec_resize', [id, '40', '120'], {});
    expect(process.sizes).to.deep.equal(['40x120']);
  });

  it('refuses what cannot be, in the words of Docker', async () => {
    const record = await bench.container({ process });
    const refused = async (config: Readonly<Record<string, unknown>>) => failureOf(create(config));
    expect(await refused({ Cmd: [] })).to.include({ message: 'No exec command specified', httpStatus: 400 });
    expect(await refused({ DetachKeys: 'foo' })).to.include({ message: 'Invalid escape keys (foo) provided' });
    const id = await create({ WorkingDir: 'rel' });
    expect(await failureOf(started(id, { Detach: true }).outcome)).to.include({
      message: 'OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown',
    });
    await bench.containers.save({ ...record, State: PAUSED });
    expect(await refused({})).to.include({
      message: 'Container web is paused, unpause the container before exec',
      httpStatus: 409,
    });
    await bench.containers.save({ ...record, State: { status: 'created', exitCode: 0, error: '' } });
    expect(await refused({})).to.include({ message: `Container ${record.ID} is not running`, httpStatus: 409 });
    expect(await failureOf(inspect('abc'))).to.include({ message: 'No such exec instance: abc', httpStatus: 404 });
    expect(await failureOf(started('abc').outcome)).to.include({ message: 'No such exec instance: abc' });
  });
});
