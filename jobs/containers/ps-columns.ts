/** The columns of ps(1) (procps-ng), worked out from /proc: title and text by format specifier. */
import type { ProcessFacts } from '../../std/proc.ts';

/** What is the same for all processes of one list. */
export interface Machine {
  /** Seconds since 1970. */
  readonly now: number;
  readonly bootTime: number;
  /** Seconds since the machine was started, to the hundredth (proc(5), `uptime`). */
  readonly uptime: number;
  readonly memoryKiB: number;
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

export interface Column {
  readonly title: string;
  readonly text: (process: ProcessFacts, machine: Machine) => string;
}

const TICKS = 100;
const PAGE_KIB = 4;
const DAY = 86_400;
/** ps shortens a longer name. */
const NAME_WIDTH = 8;
const FORKED_BUT_NO_EXEC = 0x40;
const SUPERUSER = 0x100;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** sched(7), by the number of the policy. */
const POLICIES = ['TS', 'FF', 'RR', 'B', 'ISO', 'IDL', 'DLN'];

const two = (value: number) => String(value).padStart(2, '0');
const cpuSeconds = ({ userTime, systemTime }: ProcessFacts) => Math.floor((userTime + systemTime) / TICKS);
const startOf = ({ startTime }: ProcessFacts, { bootTime }: Machine) => bootTime + Math.floor(startTime / TICKS);
const ageOf = ({ startTime }: ProcessFacts, { uptime }: Machine) => Math.max(0, Math.floor(uptime - startTime / TICKS));
const rssKiB = ({ residentKiB }: ProcessFacts) => residentKiB;

const number = (title: string, value: (process: ProcessFacts, machine: Machine) => number): Column => ({
  title,
  text: (process, machine) => String(value(process, machine)),
});
const user = (title: string, which: 0 | 1): Column => ({
  title,
  text: ({ uid }, { users }) => shortName(users.get(uid[which]) ?? String(uid[which])),
});
const group = (title: string, which: 0 | 1): Column => ({
  title,
  text: ({ gid }, { groups }) => shortName(groups.get(gid[which]) ?? String(gid[which])),
});
const command = (title: string): Column => ({ title, text: commandLine });
const comm = (title: string): Column => ({ title, text: (process) => process.comm + defunct(process) });
const tty = (title: string): Column => ({ title, text: (process) => terminal(process.tty) });
const cpuTime = (title: string): Column => ({ title, text: (process) => clock(cpuSeconds(process), true) });
const cpuPercent = (process: ProcessFacts, machine: Machine) =>
  Math.min(999.9, ((process.userTime + process.systemTime) / TICKS / Math.max(1, ageOf(process, machine))) * 100);

/** By what stands behind `-o`. Several names for one thing have titles of their own. */
const COLUMNS: Readonly<Record<string, Column>> = {
  pid: number('PID', ({ pid }) => pid),
  tgid: number('TGID', ({ pid }) => pid),
  ppid: number('PPID', ({ ppid }) => ppid),
  pgid: number('PGID', ({ pgid }) => pgid),
  pgrp: number('PGRP', ({ pgid }) => pgid),
  sid: number('SID', ({ sid }) => sid),
  sess: number('SESS', ({ sid }) => sid),
  session: number('SESS', ({ sid }) => sid),
  tpgid: number('TPGID', ({ tpgid }) => tpgid),
  uid: number('UID', ({ uid }) => uid[1]),
  euid: number('EUID', ({ uid }) => uid[1]),
  ruid: number('RUID', ({ uid }) => uid[0]),
  gid: number('GID', ({ gid }) => gid[1]),
  egid: number('EGID', ({ gid }) => gid[1]),
  rgid: number('RGID', ({ gid }) => gid[0]),
  user: user('USER', 1),
  uname: user('USER', 1),
  euser: user('EUSER', 1),
  ruser: user('RUSER', 0),
  group: group('GROUP', 1),
  egroup: group('EGROUP', 1),
  rgroup: group('RGROUP', 0),
  args: command('COMMAND'),
  command: command('COMMAND'),
  cmd: command('CMD'),
  comm: comm('COMMAND'),
  ucomm: comm('COMMAND'),
  ucmd: comm('CMD'),
  tty: tty('TT'),
  tt: tty('TT'),
  tname: tty('TTY'),
  state: { title: 'S', text: ({ state }) => state },
  s: { title: 'S', text: ({ state }) => state },
  stat: { title: 'STAT', text: stateFlags },
  pcpu: { title: '%CPU', text: (process, machine) => cpuPercent(process, machine).toFixed(1) },
  '%cpu': { title: '%CPU', text: (process, machine) => cpuPercent(process, machine).toFixed(1) },
  c: number('C', (process, machine) => Math.min(99, Math.floor(cpuPercent(process, machine)))),
  pmem: { title: '%MEM', text: (process, { memoryKiB }) => ((rssKiB(process) / memoryKiB) * 100).toFixed(1) },
  '%mem': { title: '%MEM', text: (process, { memoryKiB }) => ((rssKiB(process) / memoryKiB) * 100).toFixed(1) },
  vsz: number('VSZ', ({ virtualSize }) => Math.floor(virtualSize / 1024)),
  vsize: number('VSZ', ({ virtualSize }) => Math.floor(virtualSize / 1024)),
  sz: number('SZ', ({ virtualSize }) => Math.floor(virtualSize / 1024 / PAGE_KIB)),
  rss: number('RSS', rssKiB),
  rssize: number('RSS', rssKiB),
  rsz: number('RSZ', rssKiB),
  ni: { title: 'NI', text: niceness },
  nice: { title: 'NI', text: niceness },
  pri: number('PRI', ({ priority }) => 39 - priority),
  priority: number('PRI', ({ priority }) => priority),
  opri: number('PRI', ({ priority }) => 60 + priority),
  psr: number('PSR', ({ processor }) => processor),
  cls: { title: 'CLS', text: ({ policy }) => POLICIES[policy] ?? '?' },
  class: { title: 'CLS', text: ({ policy }) => POLICIES[policy] ?? '?' },
  policy: { title: 'POL', text: ({ policy }) => POLICIES[policy] ?? '?' },
  f: { title: 'F', text: superFlags },
  flag: { title: 'F', text: superFlags },
  flags: { title: 'F', text: superFlags },
  addr: { title: 'ADDR', text: () => '-' },
  wchan: { title: 'WCHAN', text: () => '-' },
  nlwp: number('NLWP', ({ threads }) => threads),
  thcount: number('THCNT', ({ threads }) => threads),
  maj_flt: number('MAJFL', ({ majorFaults }) => majorFaults),
  min_flt: number('MINFL', ({ minorFaults }) => minorFaults),
  time: cpuTime('TIME'),
  cputime: cpuTime('TIME'),
  times: number('TIME', cpuSeconds),
  cputimes: number('TIME', cpuSeconds),
  bsdtime: { title: 'TIME', text: bsdTime },
  etime: { title: 'ELAPSED', text: (process, machine) => clock(ageOf(process, machine), false) },
  etimes: number('ELAPSED', ageOf),
  stime: { title: 'STIME', text: startShort },
  start_time: { title: 'START', text: startShort },
  bsdstart: { title: 'START', text: startBsd },
  start: { title: 'STARTED', text: startFull },
  lstart: { title: 'STARTED', text: startLong },
};

/** Null for what ps has no column for, or none that is shown here. */
export function columnOf(specifier: string): Column | null {
  return Object.hasOwn(COLUMNS, specifier) ? (COLUMNS[specifier] ?? null) : null;
}

function shortName(name: string): string {
  return name.length > NAME_WIDTH ? `${name.slice(0, NAME_WIDTH - 1)}+` : name;
}

function defunct({ state }: ProcessFacts): string {
  return state === 'Z' ? ' <defunct>' : '';
}

/** Control characters would upset whoever reads the list. */
function commandLine(process: ProcessFacts): string {
  const words = process.cmdline.length > 0 ? process.cmdline.join(' ') : `[${process.comm}]`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return words.replace(/[\x00-\x1f\x7f]/g, '?') + defunct(process);
}

/** Devices of tty_nr: Linux' Documentation/admin-guide/devices.txt. */
function terminal(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return device === 0 ? '?' : `${major},${minor}`;
}

function stateFlags({ state, nice, lockedKiB, sid, pid, threads, tpgid, pgid }: ProcessFacts): string {
  return [
    state,
    nice < 0 ? '<' : '',
    nice > 0 ? 'N' : '',
    lockedKiB > 0 ? 'L' : '',
    sid === pid ? 's' : '',
    threads > 1 ? 'l' : '',
    tpgid === pgid ? '+' : '',
  ].join('');
}

function superFlags({ flags }: ProcessFacts): string {
  return String((flags & FORKED_BUT_NO_EXEC ? 1 : 0) + (flags & SUPERUSER ? 4 : 0));
}

function niceness({ nice, policy }: ProcessFacts): string {
  return POLICIES[policy] === 'TS' || POLICIES[policy] === 'B' ? String(nice) : '-';
}

/** `[days-]hours:minutes:seconds`; the hours may be left out where there are none. */
function clock(seconds: number, withHours: boolean): string {
  const days = Math.floor(seconds / DAY);
  const hours = Math.floor((seconds % DAY) / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  if (days > 0) return `${two(days)}-${two(hours)}:${rest}`;
  return hours > 0 || withHours ? `${two(hours)}:${rest}` : rest;
}

function bsdTime(process: ProcessFacts): string {
  const seconds = cpuSeconds(process);
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

/** The hour if that was today, else the day, else the year. */
function startShort(process: ProcessFacts, machine: Machine): string {
  const start = new Date(startOf(process, machine) * 1000);
  const today = new Date(machine.now * 1000);
  if (start.getFullYear() !== today.getFullYear()) return String(start.getFullYear());
  if (start.toDateString() === today.toDateString()) return `${two(start.getHours())}:${two(start.getMinutes())}`;
  return `${MONTHS[start.getMonth()]}${two(start.getDate())}`;
}

function startBsd(process: ProcessFacts, machine: Machine): string {
  const start = new Date(startOf(process, machine) * 1000);
  if (ageOf(process, machine) > DAY) return `${MONTHS[start.getMonth()]} ${start.getDate()}`;
  return `${two(start.getHours())}:${two(start.getMinutes())}`;
}

function startFull(process: ProcessFacts, machine: Machine): string {
  const start = new Date(startOf(process, machine) * 1000);
  if (ageOf(process, machine) > DAY) return `${MONTHS[start.getMonth()]} ${two(start.getDate())}`;
  return start.toTimeString().slice(0, 8);
}

function startLong(process: ProcessFacts, machine: Machine): string {
  const start = new Date(startOf(process, machine) * 1000);
  const day = `${WEEKDAYS[start.getDay()]} ${MONTHS[start.getMonth()]} ${start.getDate()}`;
  return `${day} ${start.toTimeString().slice(0, 8)} ${start.getFullYear()}`;
}
