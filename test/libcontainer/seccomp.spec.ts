import { expect } from 'chai';
import { capabilitiesFor } from '../../api/capabilities.ts';
import type { OciSeccomp } from '../../api/oci.ts';
import { DEFAULT_SECCOMP_PROFILE } from '../../api/seccomp-default.ts';
import { parseSeccompProfile, resolveSeccompProfile } from '../../api/seccomp-profile.ts';
import { compileSeccomp } from '../../drivers/libcontainer/seccomp.ts';
import { SeccompCache } from '../../drivers/libcontainer/seccomp-cache.ts';
import { SYSCALL_NUMBERS } from '../../drivers/libcontainer/syscall-numbers.ts';
import { runFilter } from './bpf-machine.ts';

const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;
const KILL_PROCESS = 0x8000_0000;
const AUDIT = { x86_64: 0xc000_003e, x86: 0x4000_0003, x32: 0xc000_003e, aarch64: 0xc000_00b7, arm: 0x4000_0028 };
const X32_BIT = 0x4000_0000;
type Table = keyof typeof AUDIT;

function numbers(table: Table): Map<string, number> {
  const words = SYSCALL_NUMBERS[table].trim().split(/\s+/);
  return new Map(words.map((word) => [word.split('=')[0] ?? '', Number(word.split('=')[1])]));
}

function verdict(filter: Buffer, table: Table, name: string, ...args: bigint[]): number {
  const number = numbers(table).get(name);
  if (number === undefined) throw new Error(`${table} has no ${name}`);
  return runFilter(filter, { arch: AUDIT[table], number: table === 'x32' ? number + X32_BIT : number, args }).value;
}

function defaultFilter(
  add: readonly string[] = [],
  drop: readonly string[] = [],
  arch = 'x64',
  kernel = '6.1.0',
): Buffer {
  const capabilities = capabilitiesFor(add, drop, false);
  return compileSeccomp(resolveSeccompProfile(DEFAULT_SECCOMP_PROFILE, { arch, capabilities, kernel }), arch);
}

describe('the default seccomp profile', () => {
  const filter = defaultFilter();

  for (const name of [
    'read',
    'write',
    'openat',
    'mmap',
    'execve',
    'futex',
    'clone',
    'fork',
    'exit_group',
    'accept4',
    'ptrace',
    'chroot',
    'mseal',
    'statx',
    'rseq',
    'mknod',
    'setuid',
    'capset',
    'arch_prctl',
    'seccomp',
  ]) {
    it(`allows ${name}`, () => {
      expect(verdict(filter, 'x86_64', name)).to.equal(ALLOW);
    });
  }

  for (const name of [
    'mount',
    'umount2',
    'unshare',
    'setns',
    'keyctl',
    'add_key',
    'request_key',
    'bpf',
    'reboot',
    'kexec_load',
    'init_module',
    'swapon',
    'pivot_root',
    'userfaultfd',
    'io_uring_setup',
    'perf_event_open',
    'acct',
    'settimeofday',
    'iopl',
    'open_by_handle_at',
    'process_madvise',
    'mbind',
    'syslog',
    'fsopen',
    'move_mount',
    'quotactl',
  ]) {
    it(`refuses ${name}`, () => {
      expect(verdict(filter, 'x86_64', name)).to.equal(EPERM);
    });
  }

  it('answers clone3 with ENOSYS, so that libc falls back to clone', () => {
    expect(verdict(filter, 'x86_64', 'clone3')).to.equal(ENOSYS);
  });

  it('allows clone without namespaces only', () => {
    expect(verdict(filter, 'x86_64', 'clone', 0x0001_0f00n)).to.equal(ALLOW);
    for (const bit of [0x2_0000n, 0x200_0000n, 0x400_0000n, 0x800_0000n, 0x1000_0000n, 0x2000_0000n, 0x4000_0000n]) {
      expect(verdict(filter, 'x86_64', 'clone', bit | 17n), bit.toString(16)).to.equal(EPERM);
    }
  });

  it('allows sockets of every family but AF_ALG and AF_VSOCK', () => {
    for (const family of [0n, 1n, 2n, 10n, 16n, 17n, 37n, 39n, 41n, 44n]) {
      expect(verdict(filter, 'x86_64', 'socket', family), String(family)).to.equal(ALLOW);
    }
    expect(verdict(filter, 'x86_64', 'socket', 38n)).to.equal(EPERM);
    expect(verdict(filter, 'x86_64', 'socket', 40n)).to.equal(EPERM);
  });

  it('allows five personalities', () => {
    for (const value of [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn]) {
      expect(verdict(filter, 'x86_64', 'personality', value)).to.equal(ALLOW);
    }
    expect(verdict(filter, 'x86_64', 'personality', 0x40000n)).to.equal(EPERM);
    expect(verdict(filter, 'x86_64', 'personality', 0x1_0000_0000n)).to.equal(EPERM);
  });

  it('holds for 32-bit and x32 programs as well', () => {
    for (const table of ['x86', 'x32'] as const) {
      expect(verdict(filter, table, 'openat'), table).to.equal(ALLOW);
      expect(verdict(filter, table, 'mount'), table).to.equal(EPERM);
      expect(verdict(filter, table, 'keyctl'), table).to.equal(EPERM);
      expect(verdict(filter, table, 'clone3'), table).to.equal(ENOSYS);
      expect(verdict(filter, table, 'clone', 0x1000_0000n), table).to.equal(EPERM);
    }
    expect(verdict(filter, 'x86', 'socketcall')).to.equal(ALLOW);
  });

  it('refuses numbers that no architecture has', () => {
    for (const number of [336, 423, 500, 1000, 0x3fff_ffff]) {
      expect(runFilter(filter, { arch: AUDIT.x86_64, number }).value, String(number)).to.equal(EPERM);
    }
    for (const number of [0x4000_03e8, 0x7fff_ffff, 0xffff_ffff]) {
      expect(runFilter(filter, { arch: AUDIT.x86_64, number }).value, String(number)).to.equal(EPERM);
    }
  });

  it('ends a process that calls by another architecture', () => {
    expect(runFilter(filter, { arch: AUDIT.aarch64, number: 63 }).value).to.equal(KILL_PROCESS);
  });

  it('covers ARM on ARM', () => {
    const arm = defaultFilter([], [], 'arm64');
    expect(verdict(arm, 'aarch64', 'openat')).to.equal(ALLOW);
    expect(verdict(arm, 'aarch64', 'mount')).to.equal(EPERM);
    expect(verdict(arm, 'arm', 'set_tls')).to.equal(ALLOW);
    expect(runFilter(arm, { arch: AUDIT.x86_64, number: 0 }).value).to.equal(KILL_PROCESS);
  });

  const opened: readonly (readonly [capability: string, names: readonly string[]])[] = [
    ['SYS_ADMIN', ['mount', 'unshare', 'setns', 'bpf', 'clone3', 'syslog', 'fsopen']],
    ['DAC_READ_SEARCH', ['open_by_handle_at']],
    ['SYS_BOOT', ['reboot']],
    ['SYS_MODULE', ['init_module', 'finit_module', 'delete_module']],
    ['SYS_PACCT', ['acct']],
    ['SYS_PTRACE', ['kcmp', 'process_madvise', 'pidfd_getfd']],
    ['SYS_RAWIO', ['iopl', 'ioperm']],
    ['SYS_TIME', ['settimeofday', 'clock_settime']],
    ['SYS_TTY_CONFIG', ['vhangup']],
    ['SYS_NICE', ['mbind', 'set_mempolicy']],
    ['SYSLOG', ['syslog']],
    ['BPF', ['bpf']],
    ['PERFMON', ['perf_event_open']],
  ];
  for (const [capability, names] of opened) {
    it(`opens ${names.join(', ')} for ${capability}`, () => {
      const wider = defaultFilter([capability]);
      for (const name of names) {
        expect(verdict(filter, 'x86_64', name), name).not.to.equal(ALLOW);
        expect(verdict(wider, 'x86_64', name), name).to.equal(ALLOW);
      }
    });
  }

  it('lets a container with SYS_ADMIN clone into namespaces', () => {
    expect(verdict(defaultFilter(['SYS_ADMIN']), 'x86_64', 'clone', 0x1000_0000n)).to.equal(ALLOW);
  });

  it('closes chroot where the capability is dropped', () => {
    expect(verdict(defaultFilter([], ['SYS_CHROOT']), 'x86_64', 'chroot')).to.equal(EPERM);
  });

  it('closes ptrace to kernels before 4.8', () => {
    expect(verdict(defaultFilter([], [], 'x64', '4.7.9'), 'x86_64', 'ptrace')).to.equal(EPERM);
  });

  it('decides on a call in a dozen steps', () => {
    const steps = [...numbers('x86_64').values()].map(
      (number) => runFilter(filter, { arch: AUDIT.x86_64, number }).steps,
    );
    expect(Math.max(...steps)).to.be.below(24);
    expect(filter.length / 8).to.be.below(600);
  });
});

describe('compileSeccomp', () => {
  const profile = (change: Partial<OciSeccomp>): OciSeccomp => ({
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [],
    ...change,
  });
  const denied = (op: string, value: number | bigint, valueTwo?: number | bigint) =>
    compileSeccomp(
      profile({
        syscalls: [
          {
            names: ['kill'],
            action: 'SCMP_ACT_ERRNO',
            args: [{ index: 1, op, value, ...(valueTwo === undefined ? {} : { valueTwo }) }],
          },
        ],
      }),
      'x64',
    );
  const isDenied = (filter: Buffer, value: bigint) => verdict(filter, 'x86_64', 'kill', 0n, value) === EPERM;

  const BIG = 0x1_0000_0005n;
  const comparisons: readonly (readonly [op: string, holds: (value: bigint, than: bigint) => boolean])[] = [
    ['SCMP_CMP_EQ', (value, than) => value === than],
    ['SCMP_CMP_NE', (value, than) => value !== than],
    ['SCMP_CMP_LT', (value, than) => value < than],
    ['SCMP_CMP_LE', (value, than) => value <= than],
    ['SCMP_CMP_GT', (value, than) => value > than],
    ['SCMP_CMP_GE', (value, than) => value >= than],
  ];
  const values = [
    0n,
    4n,
    5n,
    6n,
    0xffff_ffffn,
    0x1_0000_0000n,
    BIG - 1n,
    BIG,
    BIG + 1n,
    0x2_0000_0000n,
    2n ** 64n - 1n,
  ];
  for (const [op, holds] of comparisons) {
    it(`compares all 64 bits by ${op}`, () => {
      for (const than of [5n, BIG]) {
        const filter = denied(op, than);
        for (const value of values)
          expect(isDenied(filter, value), `${value} ${op} ${than}`).to.equal(holds(value, than));
      }
    });
  }

  it('compares what a mask leaves', () => {
    const filter = denied('SCMP_CMP_MASKED_EQ', 0xf_0000_00f0n, 0x1_0000_0010n);
    for (const value of [0x1_0000_0010n, 0x1_ffff_ff1fn, 0xf1_0000_0010n])
      expect(isDenied(filter, value)).to.equal(true);
    for (const value of [0x10n, 0x1_0000_0020n, 0n]) expect(isDenied(filter, value)).to.equal(false);
  });

  it('wants every condition of a rule, and one rule of several', () => {
    const filter = compileSeccomp(
      profile({
        syscalls: [
          {
            names: ['kill'],
            action: 'SCMP_ACT_ERRNO',
            args: [
              { index: 0, op: 'SCMP_CMP_EQ', value: 1 },
              { index: 1, op: 'SCMP_CMP_EQ', value: 9 },
            ],
          },
          { names: ['kill'], action: 'SCMP_ACT_ERRNO', errnoRet: 3, args: [{ index: 0, op: 'SCMP_CMP_EQ', value: 2 }] },
        ],
      }),
      'x64',
    );
    expect(verdict(filter, 'x86_64', 'kill', 1n, 9n)).to.equal(EPERM);
    expect(verdict(filter, 'x86_64', 'kill', 1n, 8n)).to.equal(ALLOW);
    expect(verdict(filter, 'x86_64', 'kill', 2n, 9n)).to.equal(0x0005_0003);
    expect(verdict(filter, 'x86_64', 'kill', 3n, 9n)).to.equal(ALLOW);
  });

  it('reaches far targets by long jumps', () => {
    // A condition of its own for every call: far more than the 255 instructions that a short jump reaches.
    const syscalls = [...numbers('x86_64')].map(([name, number]) => ({
      names: [name],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: number,
      args: [{ index: 0, op: 'SCMP_CMP_EQ', value: number }],
    }));
    const filter = compileSeccomp(profile({ syscalls }), 'x64');
    expect(filter.length / 8).to.be.above(2000);
    for (const [name, number] of numbers('x86_64')) {
      expect(verdict(filter, 'x86_64', name, BigInt(number)), name).to.equal(0x0005_0000 | number);
      expect(verdict(filter, 'x86_64', name, BigInt(number) + 1n), name).to.equal(ALLOW);
    }
  });

  it('passes over names that an architecture does not have', () => {
    const filter = compileSeccomp(
      profile({ syscalls: [{ names: ['no_such', 'read'], action: 'SCMP_ACT_KILL' }] }),
      'x64',
    );
    expect(verdict(filter, 'x86_64', 'read')).to.equal(0);
  });

  it('means the machine itself where a profile names no architecture', () => {
    const filter = compileSeccomp(profile({ architectures: [] }), 'x64');
    expect(verdict(filter, 'x86_64', 'read')).to.equal(ALLOW);
    expect(runFilter(filter, { arch: AUDIT.x86, number: 3 }).value).to.equal(KILL_PROCESS);
    expect(runFilter(filter, { arch: AUDIT.x86_64, number: X32_BIT }).value).to.equal(KILL_PROCESS);
  });

  it('refuses actions and operators it does not know', () => {
    expect(() => compileSeccomp(profile({ defaultAction: 'SCMP_ACT_NOTIFY' }), 'x64')).to.throw(/SCMP_ACT_NOTIFY/);
    expect(() => denied('SCMP_CMP_ABOUT', 1)).to.throw(/SCMP_CMP_ABOUT/);
  });

  it('compiles a profile once', () => {
    const cache = new SeccompCache('x64');
    expect(cache.filter(profile({}))).to.equal(cache.filter(profile({})));
    expect(cache.filter(profile({}))).not.to.equal(cache.filter(profile({ defaultAction: 'SCMP_ACT_LOG' })));
  });
});

describe('parseSeccompProfile', () => {
  it("reads a profile as docker's users write it", () => {
    const profile = parseSeccompProfile(
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"chmod","action":"SCMP_ACT_ERRNO"}]}',
    );
    const resolved = resolveSeccompProfile(profile, { arch: 'x64', capabilities: [], kernel: '6.1' });
    expect(verdict(compileSeccomp(resolved, 'x64'), 'x86_64', 'chmod')).to.equal(EPERM);
  });

  it('says what is wrong with one', () => {
    expect(() => parseSeccompProfile('{')).to.throw(/Decoding seccomp profile failed/);
    expect(() => parseSeccompProfile('{"defaultAction":1}')).to.throw(/profile.defaultAction: expected a string/);
  });
});
