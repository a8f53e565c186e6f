/**
 * Writes drivers/libcontainer/syscall-numbers.ts from the kernel's headers:
 *
 *   node dist/scripts/generate-syscall-numbers.js x86_64=/usr/include/x86_64-linux-gnu/asm/unistd_64.h … > FILE
 *
 * The headers of other architectures are in the packages linux-libc-dev-arm64-cross and linux-libc-dev-armhf-cross.
 * Numbers that came after those headers are the same on every architecture (since Linux 5.1) and stand in NEWER.
 */
import { execa } from 'execa';

/** What tells an x32 call from one of x86-64 (asm/unistd_x32.h). */
const X32_BIT = 0x4000_0000;

const NEWER: readonly (readonly [name: string, number: number])[] = [
  ['cachestat', 451],
  ['fchmodat2', 452],
  ['map_shadow_stack', 453],
  ['futex_wake', 454],
  ['futex_wait', 455],
  ['futex_requeue', 456],
  ['statmount', 457],
  ['listmount', 458],
  ['lsm_get_self_attr', 459],
  ['lsm_set_self_attr', 460],
  ['lsm_list_modules', 461],
  ['mseal', 462],
  ['setxattrat', 463],
  ['getxattrat', 464],
  ['listxattrat', 465],
  ['removexattrat', 466],
  ['open_tree_attr', 467],
  ['file_getattr', 468],
  ['file_setattr', 469],
];

/** The compiler tells which names a header defines, and then what they are. */
async function numbersOf(header: string): Promise<Map<string, number>> {
  const folder = header.slice(0, header.lastIndexOf('/include/') + '/include'.length);
  const flags = [
    '-E',
    '-nostdinc',
    '-I',
    folder,
    '-D__BITS_PER_LONG=64',
    '-D__ARM_EABI__',
    '-D__X32_SYSCALL_BIT=0x40000000',
    '-x',
    'c',
  ];
  const defines = await execa('cc', [...flags, '-dM', header]);
  const names = [...defines.stdout.matchAll(/^#define (__(?:ARM_)?NR_([a-z0-9_]+)) /gm)].map(
    ([, macro = '', name = '']) => ({
      macro,
      name,
    }),
  );
  const source = [`#include "${header}"`, ...names.map(({ macro, name }) => `@${name} ${macro}`)].join('\n');
  const values = await execa('cc', [...flags, '-P', '-'], { input: source });
  const numbers = new Map(NEWER);
  for (const [, name = '', expression = ''] of values.stdout.matchAll(/^@(\w+) (.*)$/gm)) {
    if (name === 'syscalls') continue;
    numbers.set(name, sum(expression));
  }
  return numbers;
}

/** `(0x40000000 + 5)`: the headers know no other arithmetic. The x32 bit is put back by whoever compiles a filter. */
function sum(expression: string): number {
  const terms = expression.replace(/[()\s]/g, '').split('+');
  const total = terms.reduce((all, term) => all + Number(term), 0);
  if (!Number.isInteger(total)) throw new Error(`not a number: ${expression}`);
  return total >= X32_BIT ? total - X32_BIT : total;
}

function wrapped(words: readonly string[]): string {
  const lines: string[] = [''];
  for (const word of words) {
    if (`${lines.at(-1)} ${word}`.length > 118) lines.push('');
    lines.push(`${lines.pop()} ${word}`.trim());
  }
  return lines.map((line) => `  ${line}`).join('\n');
}

const tables: string[] = [];
for (const argument of process.argv.slice(2)) {
  const [arch = '', header = ''] = argument.split('=');
  const numbers = [...(await numbersOf(header))].sort(([, a], [, b]) => a - b);
  tables.push(`  ${arch}: \`\n${wrapped(numbers.map(([name, number]) => `${name}=${number}`))}\n\`,`);
}
process.stdout.write(`/**
 * System call numbers by architecture, as \`name=number\` words, from the kernel's headers (asm/unistd.h). x32's are
 * without its bit 0x40000000. Written by scripts/generate-syscall-numbers.ts.
 */
export const SYSCALL_NUMBERS = {
${tables.join('\n')}
} as const;
`);
