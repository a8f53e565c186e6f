import { PassThrough, Readable, Writable } from 'node:stream';
import { expect } from 'chai';
import type { JobTable } from '../../api/jobs.ts';
import { main } from '../../client/cli.ts';
import type { Engine } from '../../engine/engine.ts';
import { serving, type TrialServer, trialEngine } from '../stand-ins/trials.ts';

describe('gantry', () => {
  let engine: Engine<JobTable>;
  let server: TrialServer;
  let tracing: Disposable;
  beforeEach(async () => {
    engine = trialEngine();
    tracing = engine.trace.start();
    server = await serving(engine);
  });
  afterEach(async () => {
    tracing[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  /** One command, and all that came of it. */
  async function gantry(words: readonly string[], { stdin = '', env = {} } = {}) {
    const stdout = new Text();
    const stderr = new Text();
    const terminal = { stdin: Readable.from([Buffer.from(stdin)]), stdout, stderr };
    const status = await main(words, { ...terminal, env: { DOCKER_HOST: server.host, ...env } });
    return { status, stdout: stdout.text, stderr: stderr.text };
  }

  describe('jobs', () => {
    it('lists every job with its arguments and what it does', async () => {
      const { status, stdout } = await gantry(['jobs']);
      expect(status).to.equal(0);
      expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).to.deep.include(['load', 'Copies']);
    });

    it('with --long also tells env, streams and aliases', async () => {
      const { stdout } = await gantry(['jobs', '--long']);
      const told = '    env     quiet\n    stdin   bytes\n    stdout  the same\n    also    cat\n';
      expect(stdout).to.contain(told);
    });
  });

  describe('job', () => {
    it('sends stdin where the job reads it, and gives back its stdout, stderr and exit status', async () => {
      const bytes = 'x'.repeat(200_000);
      const outcome = await gantry(['job', 'load'], { stdin: bytes });
      expect(outcome).to.deep.equal({ status: 0, stdout: bytes, stderr: 'done\n' });
    });

    it('does not wait for a stdin that never ends once the job has', async () => {
      engine.wrap('load', () => async () => ({ images: [] }));
      const stdout = new Text();
      const endless = { stdin: new PassThrough(), stdout, stderr: stdout, env: { DOCKER_HOST: server.host } };
      expect(await main(['job', 'load'], endless)).to.equal(0);
    });

    it('prints a result where nothing else is written, and elsewhere when it is asked to', async () => {
      engine.register('ping', { summary: '', usage: '', env: () => ({}), handler: async () => 'OK' });
      expect((await gantry(['job', 'ping'])).stdout).to.equal('OK\n');
      const { stdout } = await gantry(['job', 'cat', '--result', '-e', 'quiet=true'], { stdin: 'a' });
      expect(stdout).to.equal('a{\n  "images": [\n    "1"\n  ]\n}\n');
    });

    it('tells why a job failed, after what it wrote, and ends as it did', async () => {
      const { status, stdout, stderr } = await gantry(['job', 'info']);
      expect([status, stdout]).to.deep.equal([1, 'so far so good\n']);
      expect(stderr).to.equal('Error response from daemon: oh no\n');
    });

    it('ends with 127 for a job that is not there', async () => {
      const { status, stderr } = await gantry(['job', 'dance']);
      expect(status).to.equal(127);
      expect(stderr).to.equal('Error response from daemon: dance: command not found\n');
    });

    it('refuses an env word that is none, before anything is sent', async () => {
      const { status, stderr } = await gantry(['job', 'load', '-e', 'quiet']);
      expect(status).to.equal(125);
      expect(stderr).to.equal('gantry: invalid env "quiet": expected KEY=VALUE\n');
    });
  });

  describe('trace', () => {
    it('shows the last finished request as a tree', async () => {
      engine.wrap('load', (next) => async (job) => {
        await job.runChild('commands', [], {});
        return next(job);
      });
      await gantry(['job', 'load', '-e', 'quiet=true']);
      const { status, stdout } = await gantry(['trace', '--last']);
      expect(status).to.equal(0);
      const lines = stdout.trimEnd().split('\n');
      expect(lines).to.have.length(2);
      expect(lines[0]).to.match(/^load\(\) +[\d.]+ (ns|µs|ms|s) +OK$/);
      expect(lines[1]).to.match(/^└─ commands\(\) +[\d.]+ (ns|µs|ms|s) +OK$/);
    });

    it('lists what is kept, and finds one by its id', async () => {
      await gantry(['job', 'info']);
      const { stdout } = await gantry(['trace', '--list']);
      expect(stdout).to.match(/^ +1 .* info\(\) = ERR \(1\) oh no\n$/);
      expect((await gantry(['trace', '1'])).stdout).to.contain('ERR (1) oh no');
    });

    it('says so when there is nothing, or not that', async () => {
      expect(await gantry(['trace', '--last'])).to.include({ status: 1, stderr: 'no request is done yet\n' });
      const missing = await gantry(['trace', '7']);
      expect(missing).to.include({ status: 1, stderr: 'Error response from daemon: No such job in the trace: 7\n' });
    });

    it('follows jobs as they happen, children under their parents', async () => {
      engine.wrap('load', (next) => async (job) => {
        await job.runChild('commands', [], {});
        return next(job);
      });
      const stdout = new Text();
      const terminal = { stdin: Readable.from([]), stdout, stderr: new Text(), env: { DOCKER_HOST: server.host } };
      const following = main(['trace', '--job', 'load'], terminal).catch(() => 0);
      while (!stdout.text.includes('-load()')) {
        await gantry(['job', 'info']);
        await gantry(['job', 'load']);
      }
      const lines = stdout.text.split('\n').map((line) => line.slice(13).replace(/ {2}(#\d+|[\d.]+ \S+)$/, ''));
      expect(lines.slice(0, 4)).to.deep.equal([
        '+load()',
        '  +commands()',
        '  -commands() = OK (0)',
        '-load() = OK (0)',
      ]);
      await server[Symbol.asyncDispose]();
      await following;
    });
  });

  describe('explain', () => {
    const seen: unknown[] = [];
    beforeEach(async () => {
      const { contracts } = await import('../../jobs/contracts.ts');
      seen.length = 0;
      engine.register('explain', {
        ...contracts.explain,
        handler: async (job) => {
          seen.push({ name: job.args[0], ...job.env });
          return {
            spec: { ociVersion: '1.2.0' },
            program: [
              { owner: 'exec', op: 'mkdir', args: { path: '/sys/fs/cgroup/x', mode: 493 } },
              { owner: 'graph/vfs', op: 'execve', args: { argv: ['sh', '-c', 'echo hi'] } },
            ],
          };
        },
      });
    });

    it('asks for what docker run would ask with these flags', async () => {
      const flags = '-it --rm --name web -m 64m --cpus 1.5 -v /a:/b:ro -v /data -e A=1 -e HOME -e NOT_THERE -l x=y';
      const words = [
        'explain',
        'run',
        ...flags.split(' '),
        '--mount',
        'type=bind,src=/s,dst=/d,ro',
        'busybox:1',
        'sh',
        '-c',
      ];
      await gantry([...words, 'echo -n hi'], { env: { HOME: '/root' } });
      expect(seen).to.have.length(1);
      expect(seen[0]).to.deep.include({
        name: 'web',
        Image: 'busybox:1',
        Cmd: ['sh', '-c', 'echo -n hi'],
        Env: ['A=1', 'HOME=/root'],
        Labels: { x: 'y' },
        Tty: true,
        OpenStdin: true,
        StdinOnce: true,
        Volumes: { '/data': {} },
      });
      expect(seen[0])
        .to.have.property('HostConfig')
        .that.includes({
          AutoRemove: true,
          Memory: 64 * 1024 * 1024,
          NanoCpus: 1_500_000_000,
        });
      expect(seen[0]).to.have.nested.property('HostConfig.Binds').that.deep.equals(['/a:/b:ro']);
      expect(seen[0]).to.have.nested.property('HostConfig.Mounts[0].ReadOnly', true);
    });

    it('prints the program as a numbered list, and with --json as it came', async () => {
      const { status, stdout } = await gantry(['explain', 'run', 'busybox']);
      expect(status).to.equal(0);
      expect(stdout).to.contain('Kernel program, 2 operations\n');
      expect(stdout).to.contain('1  exec       mkdir   path=/sys/fs/cgroup/x mode=493\n');
      expect(stdout).to.contain('2  graph/vfs  execve  argv=["sh","-c","echo hi"]\n');
      const json = JSON.parse((await gantry(['explain', 'run', '--json', 'busybox'])).stdout);
      expect(json.program).to.have.length(2);
    });

    it('says in docker’s manner what it cannot read', async () => {
      const { status, stderr } = await gantry(['explain', 'run', '-m', 'much', 'busybox']);
      expect([status, stderr]).to.deep.equal([125, "gantry: invalid size: 'much'\n"]);
      expect((await gantry(['explain', 'run', '--nonsense', 'busybox'])).status).to.equal(125);
      expect((await gantry(['explain', 'run'])).status).to.equal(125);
    });
  });

  it('says where no daemon answers', async () => {
    const { status, stderr } = await gantry(['-H', 'unix:///tmp/no-daemon-there.sock', 'jobs']);
    expect(status).to.equal(125);
    const words =
      'Cannot connect to the Gantry daemon at unix:///tmp/no-daemon-there.sock. Is the gantry daemon running?';
    expect(stderr).to.contain(words);
  });

  it('says what it does not understand', async () => {
    expect((await gantry(['dance'])).stderr).to.contain("unknown command 'dance'");
    expect((await gantry(['-H', 'nowhere', 'jobs'])).stderr).to.equal(
      'gantry: unable to parse docker host `nowhere`\n',
    );
    expect((await gantry(['--help'])).status).to.equal(0);
  });
});

class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}
