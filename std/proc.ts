/** What /proc says of a process (proc_pid_stat(5), proc_pid_status(5)), for those who show it to people. */
import { readFile } from 'node:fs/promises';
import { hasErrno } from './errno.ts';

export interface ProcessFacts {
  readonly pid: number;
  readonly comm: string;
  /** Arguments; empty for a kernel thread or a zombie. */
  readonly cmdline: readonly string[];
  /** R, S, D, Z, T, … */
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** Device number of the terminal, 0 for none. */
  readonly tty: number;
  readonly tpgid: number;
  readonly flags: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Ticks of 1/100 s. */
  readonly userTime: number;
  readonly systemTime: number;
  readonly priority: number;
  readonly nice: number;
  readonly threads: number;
  /** Ticks since the machine started. */
  readonly startTime: number;
  /** Bytes. */
  readonly virtualSize: number;
  /** From `status`: what `stat` says of it lags behind. */
  readonly residentKiB: number;
  readonly processor: number;
  readonly policy: number;
  /** Real and effective. */
  readonly uid: readonly [number, number];
  readonly gid: readonly [number, number];
  readonly lockedKiB: number;
}

/** Null for a process that has ended meanwhile. */
export async function readProcess(pid: number): Promise<ProcessFacts | null> {
  try {
    const [stat, status, cmdline] = await Promise.all(
      ['stat', 'status', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
    );
    return factsOf(pid, stat ?? '', status ?? '', cmdline ?? '');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
}

/** The command stands in brackets and may itself contain brackets and blanks: what follows begins behind the last one. */
function factsOf(pid: number, stat: string, status: string, cmdline: string): ProcessFacts {
  const open = stat.indexOf('(');
  const close = stat.lastIndexOf(')');
  const fields = stat.slice(close + 2).split(' ');
  /** By the numbers of proc_pid_stat(5), of which the state is 3. */
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  return {
    pid,
    comm: stat.slice(open + 1, close),
    cmdline: cmdline === '' ? [] : cmdline.replace(/\0+$/, '').split('\0'),
    state: fields[0] ?? '?',
    ppid: field(4),
    pgid: field(5),
    sid: field(6),
    tty: field(7),
    tpgid: field(8),
    flags: field(9),
    minorFaults: field(10),
    majorFaults: field(12),
    userTime: field(14),
    systemTime: field(15),
    priority: field(18),
    nice: field(19),
    threads: field(20),
    startTime: field(22),
    virtualSize: field(23),
    residentKiB: kiB(status, 'VmRSS'),
    processor: field(39),
    policy: field(41),
    uid: idsOf(status, 'Uid'),
    gid: idsOf(status, 'Gid'),
    lockedKiB: kiB(status, 'VmLck'),
  };
}

function idsOf(status: string, name: 'Uid' | 'Gid'): readonly [number, number] {
  const match = new RegExp(`^${name}:\\s*(\\d+)\\s+(\\d+)`, 'm').exec(status);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

/** 0 for a kernel thread or a zombie, which have no memory of their own. */
function kiB(status: string, name: 'VmRSS' | 'VmLck'): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}
