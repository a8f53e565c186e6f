/**
 * Device rules as an eBPF program (BPF_PROG_TYPE_CGROUP_DEVICE), which is how cgroup v2 has them: the kernel runs it when
 * a process opens or makes a device file, and lets it if the answer is 1. (linux/bpf.h, struct bpf_cgroup_dev_ctx)
 *
 * The last rule that fits decides, so they are looked at from the last to the first; what none fits is refused.
 */
import type { OciDeviceRule } from '../../api/oci.ts';

/** struct bpf_cgroup_dev_ctx: u32 access_type (access << 16 | type), u32 major, u32 minor; r1 points to it. */
const ACCESS_TYPE = 0;
const MAJOR = 4;
const MINOR = 8;
const ACCESS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const EVERY_ACCESS = 7;
const TYPE = { b: 1, c: 2 } as const;

const CODE = {
  loadWord: 0x61,
  moveRegister: 0xbf,
  move: 0xb7,
  and: 0x57,
  shiftRight: 0x77,
  jumpEqual: 0x15,
  jumpNotEqual: 0x55,
  jumpNotEqualRegister: 0x5d,
  exit: 0x95,
} as const;
const INSTRUCTION_BYTES = 8;

/** Registers. */
const RESULT = 0;
const CONTEXT = 1;
const WANTED = 2;
const KIND = 3;
const FIRST = 4;
const SECOND = 5;
const SCRATCH = 6;

interface Instruction {
  readonly code: number;
  readonly to?: number;
  readonly from?: number;
  /** Instructions to jump over. */
  readonly offset?: number;
  readonly value?: number;
}

/** Null where the rules refuse nothing. */
export function deviceFilter(rules: readonly OciDeviceRule[]): Buffer | null {
  const lastForAll = rules.findLastIndex((rule) => rule.type === 'a');
  const following = rules.slice(lastForAll + 1);
  const otherwise = rules[lastForAll]?.allow ?? false;
  if (otherwise && following.every((rule) => rule.allow)) return null;
  const program = [...PROLOGUE, ...following.toReversed().flatMap(ruleInstructions), ...answer(otherwise)];
  return Buffer.concat(program.map(encode));
}

const PROLOGUE: readonly Instruction[] = [
  { code: CODE.loadWord, to: WANTED, from: CONTEXT, offset: ACCESS_TYPE },
  { code: CODE.moveRegister, to: KIND, from: WANTED },
  { code: CODE.and, to: KIND, value: 0xffff },
  { code: CODE.shiftRight, to: WANTED, value: 16 },
  { code: CODE.loadWord, to: FIRST, from: CONTEXT, offset: MAJOR },
  { code: CODE.loadWord, to: SECOND, from: CONTEXT, offset: MINOR },
];

const answer = (allow: boolean): Instruction[] => [
  { code: CODE.move, to: RESULT, value: allow ? 1 : 0 },
  { code: CODE.exit },
];

/** Conditions that jump over the answer when they do not hold. */
function ruleInstructions(rule: OciDeviceRule): Instruction[] {
  const tests: Instruction[] = [];
  if (rule.type !== 'a') tests.push({ code: CODE.jumpNotEqual, to: KIND, value: TYPE[rule.type] });
  tests.push(...accessTests(rule));
  if (rule.major !== null) tests.push({ code: CODE.jumpNotEqual, to: FIRST, value: rule.major });
  if (rule.minor !== null) tests.push({ code: CODE.jumpNotEqual, to: SECOND, value: rule.minor });
  const then = answer(rule.allow);
  return [
    ...tests.map((test, index) => (isJump(test) ? { ...test, offset: tests.length - index - 1 + then.length } : test)),
    ...then,
  ];
}

/** Allowed is what lies wholly within a rule, refused what has anything of one. */
function accessTests({ allow, access }: OciDeviceRule): Instruction[] {
  const mask = [...access].reduce((bits, letter) => bits | (ACCESS[letter] ?? 0), 0);
  if (mask === EVERY_ACCESS) return [];
  return [
    { code: CODE.moveRegister, to: SCRATCH, from: WANTED },
    { code: CODE.and, to: SCRATCH, value: mask },
    allow
      ? { code: CODE.jumpNotEqualRegister, to: SCRATCH, from: WANTED }
      : { code: CODE.jumpEqual, to: SCRATCH, value: 0 },
  ];
}

const JUMPS: ReadonlySet<number> = new Set([CODE.jumpEqual, CODE.jumpNotEqual, CODE.jumpNotEqualRegister]);
const isJump = ({ code }: Instruction): boolean => JUMPS.has(code);

/** struct bpf_insn, little-endian. */
function encode({ code, to = 0, from = 0, offset = 0, value = 0 }: Instruction): Buffer {
  const bytes = Buffer.alloc(INSTRUCTION_BYTES);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8((from << 4) | to, 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(value | 0, 4);
  return bytes;
}
