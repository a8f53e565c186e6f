import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { CommandNotExecutable, CommandNotFound, Conflict, NoSuchContainer } from '../../../api/errors.ts';
import { failure, SmallDaemon, type Wishes } from './small-daemon.ts';

const SIGTERM_BIT = 1n << 14n;
const SLEEP: Wishes = { Cmd: ['sleep', '1000'], StopTimeout: 5 };
/** Ends only by SIGKILL. */
const DEAF: Wishes = { Cmd: ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'] };
const exit = (code: number): Wishes => ({ Cmd: ['sh', '-c', `exit ${code}`] });

describe('the life of a container', () => {
  let daemon: SmallDaemon;

  beforeEach(async () => {
    daemon = await SmallDaemon.make();
    await daemon.image('busybox');
  });
  afterEach(() => daemon[Symbol.asyncDispose]());

  /** `docker run -d`. */
  async function run(name: string, wishes: Wishes): Promise<void> {
    await daemon.create(name, wishes);
    await daemon.start(name);
  }

  /** Until its process does not hear SIGTERM any more (proc_pid_status(5)). */
  async function deaf(name: string): Promise<void> {
    const pid = daemon.supervisor.process(daemon.containers.get(name).ID)?.pid;
    const ignored = async () => /^SigIgn:\t(.*)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    while ((BigInt(`0x${await ignored()}`) & SIGTERM_BIT) === 0n) await sleep(5);
  }

  describe('job start', () => {
    it('runs the process, and tells how it ends', async () => {
      await daemon.create('web', exit(3));
      const ended = daemon.wait('web', 'next-exit');
      expect(await daemon.start('web')).to.equal('started');
      expect(await ended).to.deep.equal({ StatusCode: 3, Error: null });
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'exited', exitCode: 3, oomKilled: false });
      expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'die']);
    });

    it('starts once, when it is asked to twice at once', async () => {
      await daemon.create('web', SLEEP);
      const outcomes = await Promise.all([daemon.start('web'), daemon.start('web')]);
      expect(outcomes.toSorted()).to.deep.equal(['already running', 'started']);
      expect(daemon.exec.requests).to.have.length(1);
    });

    it('starts again what has ended', async () => {
      await run('web', exit(1));
      await daemon.wait('web');
      await daemon.start('web');
      expect((await daemon.wait('web')).StatusCode).to.equal(1);
      expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'die', 'start', 'die']);
    });

    it('says that a command is not there, and leaves the container created with 127', async () => {
      await daemon.create('web', { Cmd: ['no-such-program'] });
      const error = await failure(daemon.start('web'));
      expect(error).to.be.instanceOf(CommandNotFound);
      expect(error.message).to.contain('exec: "no-such-program": executable file not found in $PATH');
      expect(daemon.containers.get('web').State).to.deep.equal({
        status: 'created',
        exitCode: 127,
        error: error.message,
      });
      expect(await daemon.wait('web')).to.deep.equal({ StatusCode: 127, Error: { Message: error.message } });
      expect(daemon.actions('web')).to.deep.equal(['create']);
    });

    it('tells that one that does not start came to its network and left it', async () => {
      await daemon.create('web', { Cmd: ['no-such-program'], HostConfig: { AutoRemove: true } });
      await failure(daemon.start('web'));
      const told = daemon.told.map(({ Type, Action }) => `${Type} ${Action}`);
      expect(told).to.deep.equal(['container create', 'network connect', 'network disconnect', 'container destroy']);
    });

    it('says that a command may not be run, with 126', async () => {
      await daemon.create('web', { Cmd: ['/etc/passwd'] });
      expect(await failure(daemon.start('web'))).to.be.instanceOf(CommandNotExecutable);
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'created', exitCode: 126 });
    });

    it('leaves 128 for what is no fault of the command', async () => {
      const device = { PathOnHost: '/dev/no-such', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' };
      await daemon.create('web', { HostConfig: { Devices: [device] } });
      const error = await failure(daemon.start('web'));
      expect(error.message).to.equal(
        'error gathering device information while adding custom device "/dev/no-such": no such file or directory',
      );
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'created', exitCode: 128 });
    });

    it('removes a container with --rm that does not start', async () => {
      await daemon.create('web', { Cmd: ['no-such-program'], HostConfig: { AutoRemove: true } });
      const gone = daemon.wait('web', 'removed');
      await failure(daemon.start('web'));
      expect((await gone).StatusCode).to.equal(127);
      expect(daemon.containers.find('web')).to.equal(null);
      expect(daemon.actions('web')).to.deep.equal(['create', 'destroy']);
    });

    it('connects who attached before it, and sends away who attached to what does not start', async () => {
      await daemon.create('web', { Cmd: ['sh', '-c', 'echo hello'] });
      const { ID } = daemon.containers.get('web');
      const output = new Promise<string>((resolve) => {
        const connected = ({ connection }: { connection: NodeJS.ReadableStream }) => {
          const chunks: Buffer[] = [];
          connection.on('data', (chunk) => chunks.push(chunk));
          connection.on('end', () => resolve(Buffer.concat(chunks).subarray(8).toString()));
        };
        daemon.attachments.add(ID, { stdin: false, stdout: true, stderr: true, connected }, () => resolve('abandoned'));
      });
      await daemon.start('web');
      expect(await output).to.equal('hello\n');

      await daemon.create('bad', { Cmd: ['no-such-program'] });
      const bad = daemon.containers.get('bad').ID;
      const abandoned = new Promise((resolve) => {
        daemon.attachments.add(bad, { stdin: false, stdout: true, stderr: true, connected: () => {} }, () =>
          resolve('abandoned'),
        );
      });
      await daemon.remove('bad');
      expect(await abandoned).to.equal('abandoned');
    });

    it('gives the terminal the size that was asked for before', async () => {
      await daemon.create('web', { Tty: true, Cmd: ['true'] });
      daemon.attachments.resize(daemon.containers.get('web').ID, [40, 100]);
      await daemon.start('web');
      expect(daemon.exec.requests[0]?.stdio.consoleSize).to.deep.equal([40, 100]);
    });

    it('runs fifty at once', async () => {
      const names = Array.from({ length: 50 }, (_, index) => `c${index}`);
      await Promise.all(names.map((name, index) => daemon.create(name, exit(index))));
      await Promise.all(names.map((name) => daemon.start(name)));
      const codes = await Promise.all(names.map(async (name) => (await daemon.wait(name)).StatusCode));
      expect(codes).to.deep.equal(names.map((_, index) => index));
      await Promise.all(names.map((name) => daemon.remove(name)));
      expect(daemon.containers.list()).to.deep.equal([]);
    });
  });

  describe('job stop', () => {
    it('sends the stop signal: kill, die, stop', async () => {
      await run('web', { ...SLEEP, StopSignal: 'SIGINT' });
      expect(await daemon.stop('web')).to.equal('stopped');
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'exited', exitCode: 130 });
      expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'kill', 'die', 'stop']);
      expect(await daemon.stop('web')).to.equal('already stopped');
    });

    it('kills what does not hear', async () => {
      await run('web', DEAF);
      await deaf('web');
      expect(await daemon.stop('web', 0)).to.equal('stopped');
      expect(daemon.containers.get('web').State).to.deep.include({ exitCode: 137 });
      expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'kill', 'kill', 'die', 'stop']);
    });

    it('is a stop also of what stands still', async () => {
      await run('web', SLEEP);
      await daemon.engine.run('pause', ['web'], {});
      expect(await daemon.stop('web')).to.equal('stopped');
      expect(daemon.status('web')).to.equal('exited');
    });

    it('does not hold up a kill', async () => {
      await run('web', DEAF);
      await deaf('web');
      const stopped = daemon.stop('web', 1000);
      await daemon.engine.run('kill', ['web'], {});
      expect(await stopped).to.equal('stopped');
    });
  });

  describe('job kill', () => {
    it('waits for what SIGKILL ends', async () => {
      await run('web', SLEEP);
      await daemon.engine.run('kill', ['web'], {});
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'exited', exitCode: 137 });
    });

    it('sends any signal by name or number and leaves it at that', async () => {
      await run('web', SLEEP);
      await daemon.engine.run('pause', ['web'], {});
      await daemon.engine.run('kill', ['web', 'SIGWINCH'], {});
      expect(daemon.status('web')).to.equal('paused');
      await daemon.engine.run('unpause', ['web'], {});
      await daemon.engine.run('kill', ['web', '2'], {});
      expect((await daemon.wait('web')).StatusCode).to.equal(130);
    });

    it('says what it cannot', async () => {
      const { Id } = await daemon.create('web', SLEEP);
      const messageOf = async (signal: string) =>
        (await failure(daemon.engine.run('kill', ['web', signal], {}))).message;
      expect(await messageOf('foo')).to.equal('Invalid signal: foo');
      expect(await messageOf('0')).to.equal('Invalid signal: 0');
      expect(await messageOf('99')).to.contain('The linux daemon does not support signal 99');
      expect(await messageOf('KILL')).to.equal(`Cannot kill container: web: Container ${Id} is not running`);
    });
  });

  describe('job pause', () => {
    it('knows its own states', async () => {
      const { Id } = await daemon.create('web', SLEEP);
      const messageOf = async (job: 'pause' | 'unpause' | 'start') =>
        (await failure(daemon.engine.run(job, ['web'], {}))).message;
      expect(await messageOf('pause')).to.equal(`Container ${Id} is not running`);
      await daemon.start('web');
      expect(await messageOf('unpause')).to.equal(`Container ${Id} is not paused`);
      await daemon.engine.run('pause', ['web'], {});
      expect(await messageOf('pause')).to.equal(`Container ${Id} is already paused`);
      expect(await messageOf('start')).to.equal('cannot start a paused container, try unpause instead');
      await daemon.engine.run('unpause', ['web'], {});
      expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'pause', 'unpause']);
    });
  });

  describe('job restart', () => {
    const restart = (name: string) => daemon.engine.run('restart', [name], { t: null, signal: '' });

    it('stops and starts, and keeps a container that --rm would remove', async () => {
      await run('web', { ...SLEEP, HostConfig: { AutoRemove: true } });
      const { pid } = daemon.containers.get('web').State as { pid: number };
      await restart('web');
      expect(daemon.containers.get('web').State).to.deep.include({ status: 'running' }).and.not.include({ pid });
      expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'kill', 'die', 'stop', 'start', 'restart']);
    });

    it('starts what does not run, and names the container when that fails', async () => {
      await daemon.create('web', { Cmd: ['no-such-program'] });
      const error = await failure(restart('web'));
      expect(error).to.be.instanceOf(CommandNotFound);
      expect(error.message).to.match(/^Cannot restart container web: /);
    });
  });

  describe('job rename', () => {
    const rename = (from: string, to: string) => daemon.engine.run('rename', [from, to], {});

    it('frees the old name and tells both', async () => {
      const { Id } = await daemon.create('web');
      await rename('web', '/shop');
      expect(daemon.containers.get('shop').ID).to.equal(Id);
      expect(daemon.told.at(-1)?.Actor.Attributes).to.deep.include({ name: 'shop', oldName: '/web' });
      await daemon.create('web');
    });

    it('says what it cannot', async () => {
      await daemon.create('web');
      const { Id } = await daemon.create('shop');
      expect((await failure(rename('web', ''))).message).to.equal('Neither old nor new names may be empty');
      expect((await failure(rename('web', 'web'))).message).to.equal(
        'Renaming a container with the same name as its current name',
      );
      expect((await failure(rename('web', 'shop'))).message).to.equal(
        `Error when allocating new name: Conflict. The container name "/shop" is already in use by container "${Id}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
      expect((await failure(rename('web', '!'))).message).to.contain('only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed');
      await rename('web', 'free');
    });
  });

  describe('job wait', () => {
    it('answers at once for what does not run', async () => {
      await daemon.create('web');
      expect(await daemon.wait('web')).to.deep.equal({ StatusCode: 0, Error: null });
    });

    it('accepts before anything happens, and then misses nothing', async () => {
      await daemon.create('web', { ...exit(7), HostConfig: { AutoRemove: true } });
      const job = daemon.engine.job('wait', ['web'], { condition: 'removed' });
      const result = job.run();
      expect(await job.accepted).to.equal(null);
      await daemon.start('web');
      expect(await result).to.deep.equal({ StatusCode: 7, Error: null });
      expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'die', 'destroy']);
      expect(daemon.containers.find('web')).to.equal(null);
      await daemon.create('web');
    });

    describe('for one with --rm that is gone before anyone asks', () => {
      let id: string;

      beforeEach(async () => {
        id = (await daemon.create('quick', { ...exit(7), HostConfig: { AutoRemove: true } })).Id;
        const gone = daemon.wait(id, 'removed');
        await daemon.start(id);
        await gone;
      });

      it('tells how it ended, by id, prefix and name', async () => {
        for (const reference of [id, id.slice(0, 12), 'quick', '/quick']) {
          for (const condition of ['not-running', 'removed'] as const) {
            expect(await daemon.wait(reference, condition), reference).to.deep.equal({ StatusCode: 7, Error: null });
          }
        }
      });

      it('has no next end to tell of', async () => {
        expect(await failure(daemon.wait(id, 'next-exit'))).to.be.instanceOf(NoSuchContainer);
      });

      it('is the only job that knows it', async () => {
        expect(await failure(daemon.engine.run('container_inspect', [id], { size: false }))).to.be.instanceOf(
          NoSuchContainer,
        );
        expect(await failure(daemon.start(id))).to.be.instanceOf(NoSuchContainer);
        expect(await failure(daemon.stop(id))).to.be.instanceOf(NoSuchContainer);
        expect(await failure(daemon.remove(id))).to.be.instanceOf(NoSuchContainer);
        expect(daemon.containers.list()).to.deep.equal([]);
      });

      it('means the new one of that name, once there is one', async () => {
        await daemon.create('quick', exit(3));
        expect((await daemon.wait('quick')).StatusCode).to.equal(0);
        expect((await daemon.wait(id)).StatusCode).to.equal(7);
      });
    });

    it('knows nothing of one with --rm that was removed by hand', async () => {
      await run('web', { ...SLEEP, HostConfig: { AutoRemove: true } });
      await daemon.remove('web', { force: true });
      expect(await failure(daemon.wait('web'))).to.be.instanceOf(NoSuchContainer);
    });

    it('ends with its caller', async () => {
      await run('web', SLEEP);
      const caller = new AbortController();
      const job = daemon.engine.job('wait', ['web'], { condition: 'not-running' }, { signal: caller.signal });
      const result = failure(job.run());
      await job.accepted;
      caller.abort();
      await result;
    });
  });

  describe('job delete', () => {
    it('removes record, name, layer and anonymous volumes', async () => {
      await daemon.create('web', { Volumes: { '/a': {} }, HostConfig: { Binds: ['named:/n'] } });
      await daemon.remove('web', { v: true });
      expect(daemon.containers.find('web')).to.equal(null);
      expect(daemon.volumes.list().map(({ name }) => name)).to.deep.equal(['named']);
      expect(daemon.actions('web')).to.deep.equal(['create', 'destroy']);
      await daemon.create('web');
    });

    it('keeps an anonymous volume that another container has taken over', async () => {
      await daemon.create('web', { Volumes: { '/a': {} } });
      await daemon.create('heir', { HostConfig: { VolumesFrom: ['web'] } });
      await daemon.remove('web', { v: true });
      expect(daemon.volumes.list()).to.have.length(1);
    });

    it('refuses what runs, without force', async () => {
      await run('web', SLEEP);
      const { ID } = daemon.containers.get('web');
      const error = await failure(daemon.remove('web'));
      expect(error).to.be.instanceOf(Conflict);
      expect(error.message).to.equal(
        `You cannot remove a running container ${ID}. Stop the container before attempting removal or force remove`,
      );
    });

    it('ends what runs, with force: kill, die, destroy', async () => {
      await run('web', DEAF);
      await daemon.remove('web', { force: true });
      expect(daemon.actions('web')).to.deep.equal(['create', 'start', 'kill', 'die', 'destroy']);
      expect(await failure(daemon.remove('web'))).to.be.instanceOf(NoSuchContainer);
    });

    it('leaves what it could not remove dead: it does not start, and can be removed again', async () => {
      await daemon.create('web');
      const mend = await daemon.wedge('web');
      for (let round = 0; round < 2; round++) {
        const error = await failure(daemon.remove('web'));
        const { State } = await daemon.engine.run('container_inspect', ['web'], { size: false });
        expect(State).to.deep.include({ Status: 'dead', Dead: true, Error: error.message });
        expect(daemon.containers.get('web').State).to.deep.include({
          before: { status: 'created', exitCode: 0, error: '' },
        });
        expect(await failure(daemon.start('web'))).to.be.instanceOf(Conflict);
      }
      await mend();
      await daemon.remove('web');
      expect(daemon.containers.find('web')).to.equal(null);
      expect(daemon.actions('web')).to.deep.equal(['create', 'destroy']);
    });

    it('removes once, when it is asked to by many at once', async () => {
      await run('web', SLEEP);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, () => daemon.remove('web', { force: true })),
      );
      expect(outcomes.some(({ status }) => status === 'fulfilled')).to.equal(true);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(outcome.reason.message).to.match(/already in progress|No such container/);
      }
      expect(daemon.actions('web').filter((action) => action === 'destroy')).to.have.length(1);
    });

    it('and a start at the same time come one after the other', async () => {
      for (let round = 0; round < 20; round++) {
        await daemon.create('web', SLEEP);
        const [started, removed] = await Promise.allSettled([daemon.start('web'), daemon.remove('web')]);
        const isGone = daemon.containers.find('web') === null;
        expect(isGone).to.equal(removed.status === 'fulfilled');
        expect(started.status).to.equal(isGone ? 'rejected' : 'fulfilled');
        if (!isGone) await daemon.remove('web', { force: true });
      }
    });
  });
});
