/**
 * An OCI seccomp profile → a classic BPF filter (seccomp(2), runtime-spec config-linux.md "Seccomp").
 *
 * Per architecture the numbers that have rules are sorted into ranges of the same verdict, and a call's range is found
 * by binary search: some ninety instructions for the default profile, of which a call sees about seven.
 */
import { InvalidParameter } from '../../api/errors.ts';
import type { OciSeccomp } from '../../api/oci.ts';
import { Assembler, BPF, type Label } from './bpf.ts';
import { SYSCALL_NUMBERS } from './syscall-numbers.ts';

type Table = keyof typeof SYSCALL_NUMBERS;
type Rule = OciSeccomp['syscalls'][number];
type Condition = NonNullable<Rule['args']>[number];

/** linux/audit.h: AUDIT_ARCH_*. */
const AUDIT = { x86_64: 0xc000_003e, x86: 0x4000_0003, aarch64: 0xc000_00b7, arm: 0x4000_0028 } as const;
/** x32 calls say AUDIT_ARCH_X86_64 and have this bit in their number. */
const X32_BIT = 0x4000_0000;

const TABLES: Readonly<Record<string, Table>> = {
  SCMP_ARCH_X86_64: 'x86_64',
  SCMP_ARCH_X86: 'x86',
  SCMP_ARCH_X32: 'x32',
  SCMP_ARCH_AARCH64: 'aarch64',
  SCMP_ARCH_ARM: 'arm',
};
/** What runs natively beside what a profile names; a profile that names none means the machine's own. */
const NATIVE: Readonly<Record<string, string>> = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' };

/** linux/seccomp.h: SECCOMP_RET_*. */
const KILL_PROCESS = 0x8000_0000;
const RETURN: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0x0000_0000,
  SCMP_ACT_KILL_THREAD: 0x0000_0000,
  SCMP_ACT_KILL_PROCESS: KILL_PROCESS,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};
const EPERM = 1;

/** Offsets in struct seccomp_data, little-endian. */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number) => ({ low: 16 + 8 * index, high: 20 + 8 * index });

/** Rules that are tried in order until one's conditions all hold; past the last, `otherwise`. */
interface Verdict {
  readonly rules: readonly { readonly conditions: readonly Condition[]; readonly action: number }[];
  readonly otherwise: number;
  /** Equal verdicts have equal keys. */
  readonly key: string;
}

interface Range {
  readonly first: number;
  readonly verdict: Verdict;
}

/** Compiles a profile. Fails with InvalidParameter for words that no filter can have. */
export function compileSeccomp(profile: OciSeccomp, arch: string): Buffer {
  const names = profile.architectures.length > 0 ? profile.architectures : [NATIVE[arch] ?? arch];
  const tables = new Set(names.map((name) => TABLES[name]).filter((table) => table !== undefined));
  if (tables.size === 0) throw new InvalidParameter(`seccomp: unknown architectures ${names.join(', ')}`);
  const program = new Assembler();
  const has = (table: Table) => tables.has(table);
  const search = (table: Table) => new Search(program).tree(rangesOf(profile, table));

  // From the end: calls of an architecture that the profile does not have end the process.
  let otherwise = program.emit(BPF.return, KILL_PROCESS);
  const refused = otherwise;
  for (const table of ['arm', 'aarch64', 'x86'] as const) {
    if (!has(table)) continue;
    program.fallThrough(search(table));
    otherwise = isArch(program, table, program.emit(BPF.load, NUMBER), otherwise);
  }
  if (has('x86_64') || has('x32')) {
    const x32 = has('x32') ? search('x32') : refused;
    const native = has('x86_64') ? search('x86_64') : refused;
    program.branch(BPF.jumpGreaterOrEqual, X32_BIT, x32, native);
    otherwise = isArch(program, 'x86_64', program.emit(BPF.load, NUMBER), otherwise);
  }
  program.fallThrough(otherwise);
  program.emit(BPF.load, ARCH);
  return program.bytes();
}

function isArch(program: Assembler, table: keyof typeof AUDIT, yes: Label, no: Label): Label {
  return program.branch(BPF.jumpEqual, AUDIT[table], yes, no);
}

/** The numbers of an architecture, cut into ranges of one verdict; the first begins at 0, the last has no end. */
function rangesOf(profile: OciSeccomp, table: Table): Range[] {
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const numbers = numbersOf(table);
  const verdicts = new Map<number, Verdict>();
  for (const rule of profile.syscalls) {
    const action = actionValue(rule.action, rule.errnoRet);
    for (const name of rule.names) {
      const number = numbers.get(name);
      if (number === undefined) continue;
      verdicts.set(number, withRule(verdicts.get(number) ?? unconditional(otherwise), rule.args ?? [], action));
    }
  }
  const ranges: Range[] = [];
  const offset = table === 'x32' ? X32_BIT : 0;
  const add = (first: number, verdict: Verdict) => {
    if (ranges.at(-1)?.verdict.key !== verdict.key) ranges.push({ first: first + offset, verdict });
  };
  let next = 0;
  for (const [number, verdict] of [...verdicts].sort(([a], [b]) => a - b)) {
    if (number > next || ranges.length === 0) add(next, unconditional(otherwise));
    if (number === 0) ranges.length = 0;
    add(number, verdict);
    next = number + 1;
  }
  add(next, unconditional(otherwise));
  return ranges;
}

function numbersOf(table: Table): Map<string, number> {
  const words = SYSCALL_NUMBERS[table].trim().split(/\s+/);
  return new Map(
    words.map((word) => {
      const [name = '', number = ''] = word.split('=');
      return [name, Number(number)];
    }),
  );
}

function unconditional(otherwise: number): Verdict {
  return { rules: [], otherwise, key: `${otherwise}` };
}

/** The first rule that fits is the one that counts; one without conditions always fits, so none after it matters. */
function withRule(verdict: Verdict, conditions: readonly Condition[], action: number): Verdict {
  const settled = verdict.rules.at(-1)?.conditions.length === 0;
  if (settled) return verdict;
  const rules = [...verdict.rules, { conditions, action }];
  const words = rules.map((rule) => `${rule.conditions.map(conditionWords).join('&')}=${rule.action}`);
  return conditions.length === 0 && rules.every((rule) => rule.action === action)
    ? { rules: [{ conditions: [], action }], otherwise: action, key: `${action}` }
    : { rules, otherwise: verdict.otherwise, key: `${words.join('|')}|${verdict.otherwise}` };
}

const conditionWords = (each: Condition): string => `${each.index}${each.op}${each.value}/${each.valueTwo ?? 0}`;

function actionValue(action: string, errno: number | undefined): number {
  const value = RETURN[action];
  if (value === undefined) throw new InvalidParameter(`seccomp: action ${action} is not supported`);
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? value | ((errno ?? EPERM) & 0xffff) : value;
}

/** Writes one architecture's ranges as a binary search. Returns are shared as long as they are in reach. */
class Search {
  readonly #program: Assembler;
  readonly #leaves = new Map<string, Label>();

  constructor(program: Assembler) {
    this.#program = program;
  }

  tree(ranges: readonly Range[]): Label {
    const [only] = ranges;
    if (only === undefined) throw new RangeError('no ranges');
    if (ranges.length === 1) return this.#verdict(only.verdict);
    const middle = ranges.length >> 1;
    const upper = this.tree(ranges.slice(middle));
    const lower = this.tree(ranges.slice(0, middle));
    return this.#program.branch(BPF.jumpGreaterOrEqual, ranges[middle]?.first ?? 0, upper, lower);
  }

  #verdict({ rules, otherwise, key }: Verdict): Label {
    const known = this.#leaves.get(key);
    if (known !== undefined && this.#program.reaches(known)) return known;
    let next = this.#return(otherwise);
    for (const { conditions, action } of rules.toReversed()) {
      next = conditions.length === 0 ? this.#return(action) : this.#conditions(conditions, this.#return(action), next);
    }
    this.#leaves.set(key, next);
    return next;
  }

  #return(action: number): Label {
    const key = `return ${action}`;
    const known = this.#leaves.get(key);
    if (known !== undefined && this.#program.reaches(known)) return known;
    const label = this.#program.emit(BPF.return, action);
    this.#leaves.set(key, label);
    return label;
  }

  /** All must hold. A condition loads what it looks at, so the number in the accumulator is gone behind it. */
  #conditions(conditions: readonly Condition[], yes: Label, no: Label): Label {
    return conditions.reduceRight((next, condition) => this.#condition(condition, next, no), yes);
  }

  #condition({ index, op, value, valueTwo = 0 }: Condition, yes: Label, no: Label): Label {
    const { low, high } = halves(value);
    switch (op) {
      case 'SCMP_CMP_EQ':
        return this.#equal(index, { low, high }, null, yes, no);
      case 'SCMP_CMP_NE':
        return this.#equal(index, { low, high }, null, no, yes);
      case 'SCMP_CMP_MASKED_EQ':
        return this.#equal(index, halves(valueTwo), { low, high }, yes, no);
      case 'SCMP_CMP_GT':
        return this.#greater(index, { low, high }, BPF.jumpGreater, yes, no);
      case 'SCMP_CMP_GE':
        return this.#greater(index, { low, high }, BPF.jumpGreaterOrEqual, yes, no);
      case 'SCMP_CMP_LE':
        return this.#greater(index, { low, high }, BPF.jumpGreater, no, yes);
      case 'SCMP_CMP_LT':
        return this.#greater(index, { low, high }, BPF.jumpGreaterOrEqual, no, yes);
      default:
        throw new InvalidParameter(`seccomp: operator ${op} is not supported`);
    }
  }

  #equal(index: number, value: Halves, mask: Halves | null, yes: Label, no: Label): Label {
    const at = argument(index);
    const program = this.#program;
    const lowEqual = program.branch(BPF.jumpEqual, value.low, yes, no);
    const lowLoaded = this.#load(at.low, mask?.low ?? null, lowEqual);
    const highEqual = program.branch(BPF.jumpEqual, value.high, lowLoaded, no);
    return this.#load(at.high, mask?.high ?? null, highEqual);
  }

  /** Greater in the upper half settles it, as does less; only equal ones need the lower half. */
  #greater(index: number, value: Halves, compare: number, yes: Label, no: Label): Label {
    const at = argument(index);
    const program = this.#program;
    const lowGreater = program.branch(compare, value.low, yes, no);
    const lowLoaded = this.#load(at.low, null, lowGreater);
    const highEqual = program.branch(BPF.jumpEqual, value.high, lowLoaded, no);
    const highGreater = program.branch(BPF.jumpGreater, value.high, yes, highEqual);
    return this.#load(at.high, null, highGreater);
  }

  #load(offset: number, mask: number | null, next: Label): Label {
    const program = this.#program;
    program.fallThrough(next);
    if (mask !== null) program.emit(BPF.and, mask);
    return program.emit(BPF.load, offset);
  }
}

interface Halves {
  readonly low: number;
  readonly high: number;
}

function halves(value: number | bigint): Halves {
  const all = BigInt.asUintN(64, BigInt(value));
  return { low: Number(all & 0xffff_ffffn), high: Number(all >> 32n) };
}
