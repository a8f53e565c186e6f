import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { OperationFailed } from '../../api/errors.ts';
import { builtFile } from '../../drivers/libcontainer/kernel/binding.ts';
import { sealedExecutable } from '../../drivers/libcontainer/kernel/descriptors.ts';
import { ended, pidfdOpen, sendSignal, spawn } from '../../drivers/libcontainer/kernel/process.ts';
import { socketPair } from '../../drivers/libcontainer/kernel/sockets.ts';
import { rejection } from '../stand-ins/rejection.ts';
import { connected } from '../stand-ins/sockets.ts';

const SHELL = '/bin/sh';
const NO_STDIO = [null, null, null];

/** Runs a shell script and gives what it wrote on stdout, and how it ended. */
async function shell(script: string, extra: readonly (number | null)[] = []) {
  const [ours, theirs] = socketPair();
  const { pid, pidfd } = await spawn({
    executable: SHELL,
    argv: ['sh', '-c', script],
    env: ['PATH=/usr/bin:/bin'],
    fds: [null, theirs, null, ...extra],
  });
  closeSync(theirs);
  const ending = ended(pidfd);
  const socket = connected(ours);
  const output = await text(socket);
  return { pid, output, ending: await ending };
}

describe('spawn', () => {
  it('runs a program with just the words, the environment and the descriptors given', async () => {
    const marked = openSync('/etc/hostname', 'r');
    try {
      const { output } = await shell(
        'echo "$0 $#"; env | sort | grep -v -e PWD -e SHLVL -e _=; ls /proc/$$/fd; cat <&3',
        [marked],
      );
      expect(output).to.equal(`sh 0\nPATH=/usr/bin:/bin\n0\n1\n2\n3\n${readFileSync('/etc/hostname', 'utf8')}`);
    } finally {
      closeSync(marked);
    }
  });

  it('starts a session of its own, in /, with umask 022 and no signal ignored or blocked', async () => {
    const { pid, output } = await shell(
      "cut -d' ' -f6 /proc/$$/stat; readlink /proc/$$/cwd; umask; grep -e SigBlk -e SigIgn /proc/self/status",
    );
    const zero = '0000000000000000';
    expect(output).to.equal(`${pid}\n/\n0022\nSigBlk:\t${zero}\nSigIgn:\t${zero}\n`);
  });

  it('swaps descriptors whose targets are one another’s sources', async () => {
    const first = openSync('/dev/zero', 'r');
    const second = openSync('/dev/full', 'r');
    try {
      const { output } = await shell('readlink /proc/$$/fd/3 /proc/$$/fd/4 /proc/$$/fd/5', [second, first, second]);
      expect(output).to.equal('/dev/full\n/dev/zero\n/dev/full\n');
    } finally {
      closeSync(first);
      closeSync(second);
    }
  });

  it('fails with the errno of execve and leaves no process', async () => {
    const failed = await rejection(spawn({ executable: '/no/such/program', argv: ['x'], env: [], fds: NO_STDIO }));
    expect(failed).to.be.instanceOf(OperationFailed).with.property('errno', 'ENOENT');
    const children = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/children`, 'utf8'));
    expect(children.join('')).to.equal('');
  });

  it('refuses words with a NUL byte', async () => {
    const failed = await rejection(spawn({ executable: SHELL, argv: ['sh', 'a\0b'], env: [], fds: NO_STDIO }));
    expect(failed).to.be.instanceOf(TypeError).with.property('message').that.includes('NUL');
  });

  it('runs a sealed copy of gantry-init that nobody can write to', async () => {
    const executable = sealedExecutable('gantry-init', readFileSync(builtFile('gantry-init')));
    try {
      const { pidfd } = await spawn({ executable, argv: ['gantry-init'], env: [], fds: NO_STDIO });
      expect(await ended(pidfd)).to.deep.equal({ kind: 'exited', code: 2 });
      expect(() => writeFileSync(`/proc/self/fd/${executable}`, 'x', { flag: 'r+' })).to.throw('EPERM');
    } finally {
      closeSync(executable);
    }
  });
});

describe('ended', () => {
  it('tells the exit code', async () => {
    expect((await shell('exit 7')).ending).to.deep.equal({ kind: 'exited', code: 7 });
  });

  it('tells the signal', async () => {
    expect((await shell('kill -9 $$')).ending).to.deep.equal({ kind: 'killed', signal: 9 });
  });

  it('hears of a hundred processes at a time', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, (_, index) => shell(`exit ${index}`)));
    expect(all.map(({ ending }) => ending)).to.deep.equal(
      Array.from({ length: 100 }, (_, code) => ({ kind: 'exited', code })),
    );
  });

  it('tells that a process which is not our child is gone', async () => {
    const { output } = await shell('sleep 30 >/dev/null & echo $!');
    const pidfd = pidfdOpen(Number(output));
    const ending = ended(pidfd);
    expect(sendSignal(pidfd, 9)).to.equal(true);
    expect(await ending).to.deep.equal({ kind: 'lost' });
  });

  it('leaves the children of child_process alone', async () => {
    const run = promisify(execFile);
    const [{ stdout }] = await Promise.all([run('/bin/echo', ['mine']), shell('exit 1'), shell('exit 2')]);
    expect(stdout).to.equal('mine\n');
  });

  it('works in a worker thread, and lets it end while a process still runs', async () => {
    const module = JSON.stringify(new URL('../../drivers/libcontainer/kernel/process.js', import.meta.url).href);
    const source = `import(${module}).then(async ({ spawn, ended }) => {
      const { pid, pidfd } = await spawn({ executable: '/bin/sleep', argv: ['sleep', '30'], env: [], fds: [null, null, null] });
      ended(pidfd);
      require('node:worker_threads').parentPort.postMessage(pid);
    })`;
    const worker = new Worker(source, { eval: true });
    const over = new Promise((resolve) => worker.once('exit', resolve));
    const pid = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const code = await over;
    process.kill(pid, 'SIGKILL');
    expect(code).to.equal(0);
  });
});

describe('sendSignal', () => {
  it('says false of a process that is gone', async () => {
    const { pidfd } = await spawn({ executable: SHELL, argv: ['sh', '-c', 'exit 0'], env: [], fds: NO_STDIO });
    const second = pidfdOpen(process.pid);
    closeSync(second);
    const copy = openSync(`/proc/self/fd/${pidfd}`, 'r');
    await ended(pidfd);
    expect(sendSignal(copy, 15)).to.equal(false);
    closeSync(copy);
  });
});
