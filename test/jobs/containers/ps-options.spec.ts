import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { machine } from '../../../jobs/containers/ps-machine.ts';
import { parsePsOptions } from '../../../jobs/containers/ps-options.ts';
import { readProcess } from '../../../std/proc.ts';

const run = promisify(execFile);

describe('arguments of ps', () => {
  const titles = (args: string) =>
    parsePsOptions(args)
      .columns.map(({ title }) => title)
      .join(' ');

  const lists: readonly (readonly [args: string, titles: string])[] = [
    ['-ef', 'UID PID PPID C STIME TTY TIME CMD'],
    ['-e', 'PID TTY TIME CMD'],
    ['-eF', 'UID PID PPID C SZ RSS PSR STIME TTY TIME CMD'],
    ['-e -l', 'F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD'],
    ['-elf', 'F S UID PID PPID C PRI NI ADDR SZ WCHAN STIME TTY TIME CMD'],
    ['-ejf', 'UID PID PPID PGID SID C STIME TTY TIME CMD'],
    ['ax', 'PID TTY STAT TIME COMMAND'],
    ['aux', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
    ['auxww', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
    ['auxf', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
    ['axj', 'PPID PID PGID SID TTY TPGID STAT UID TIME COMMAND'],
    ['axl', 'F UID PID PPID PRI NI VSZ RSS WCHAN STAT TTY TIME COMMAND'],
    ['-o pid', 'PID'],
    ['-eo pid,comm,args', 'PID COMMAND COMMAND'],
    ['-o pid -o ppid,user', 'PID PPID USER'],
    ['-o pid -o user=WHO', 'PID WHO'],
    ['-o pid,user=WHO', 'PID WHO'],
    ['axo pid,tty', 'PID TT'],
    ['--format=pid,cmd --forest', 'PID CMD'],
  ];
  for (const [args, expected] of lists) {
    it(`${args} gives ${expected}`, () => {
      expect(titles(args)).to.equal(expected);
    });
  }

  const refused: readonly (readonly [args: string, words: string])[] = [
    ['-o comm', "Couldn't find PID field in ps output"],
    ['-o pid=foo', "Couldn't find PID field in ps output"],
    ['bogus', 'ps: error: unsupported option (BSD syntax)'],
    ['--bogus', 'ps: error: unknown gnu long option'],
    ['-ez', 'ps: error: unsupported SysV option'],
    ['-o bogus', 'ps: error: unknown user-defined format specifier "bogus"'],
    ['-o toString', 'ps: error: unknown user-defined format specifier "toString"'],
    ['-o', 'ps: error: format specification must follow -o'],
    ['-f -o pid', 'ps: error: conflicting format options'],
    ['-o foo=PID,pid', 'specifying "foo=PID,pid" is not allowed'],
  ];
  for (const [args, words] of refused) {
    it(`${args} is refused: ${words}`, () => {
      expect(() => parsePsOptions(args)).to.throw(words);
    });
  }
});

describe('columns of ps', () => {
  const steady =
    'pid,ppid,pgid,sid,tpgid,uid,euid,ruid,gid,egid,rgid,user,euser,ruser,group,tt,tty,tname,s,state,stat,ni,pri,priority,cls,f,' +
    'nlwp,vsz,sz,rss,stime,start_time,bsdstart,start,time,bsdtime,etime,etimes,times,comm,ucmd,args,cmd,command';

  it('are what ps(1) prints of the same process', async function () {
    await run('ps', ['--version']).catch(() => this.skip());
    const sleeper = spawn('sleep', ['100'], { stdio: 'ignore' });
    try {
      const pid = sleeper.pid ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const specifier of steady.split(',')) {
        const [column] = parsePsOptions(`-o ${specifier} -o pid`).columns;
        const shown = async () => {
          const facts = await readProcess(pid);
          if (facts === null || column === undefined) throw new Error('no such process or column');
          return `${column.title}: ${column.text(facts, await machine(1024 * 1024 * 1024))}`;
        };
        // A clock may tick between two looks: ps comes between ours.
        const before = await shown();
        const { stdout } = await run('ps', ['-o', specifier, '-q', String(pid), '--width', '200']);
        const [title = '', text = ''] = stdout.split('\n');
        expect([before, await shown()]).to.include(`${title.trim()}: ${text.trim()}`, specifier);
      }
    } finally {
      sleeper.kill('SIGKILL');
    }
  });
});
