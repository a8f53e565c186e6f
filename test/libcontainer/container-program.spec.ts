import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type ContainerPlan, containerProgram } from '../../drivers/libcontainer/container-program.ts';
import { describeProgram } from '../../drivers/libcontainer/describe.ts';
import { encodeProgram } from '../../drivers/libcontainer/encode.ts';
import { execProgram } from '../../drivers/libcontainer/exec-program.ts';
import { BASE_PLAN, BASE_SPEC, ID, LAYOUTS, machine, mount, VARIANTS } from './specs.ts';

/**
 * Golden files are beside this one. `GOLDEN=write npx mocha …` writes them anew; then read what `git diff` says.
 */
const folder = fileURLToPath(new URL('../../../test/libcontainer/golden/', import.meta.url));

function golden(name: string, actual: string): void {
  const path = `${folder}${name}.txt`;
  if (process.env['GOLDEN'] === 'write') writeFileSync(path, actual);
  expect(actual).to.equal(readFileSync(path, 'utf8'));
}

/** Lines of `b` that `a` has not, in order, as `+`; and the other way round as `-`. */
function difference(a: readonly string[], b: readonly string[]): string {
  const lengths = a.map(() => new Array<number>(b.length + 1).fill(0));
  lengths.push(new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row !== undefined) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) [i, j] = [i + 1, j + 1];
    else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) lines.push(`- ${a[i++]}`);
    else lines.push(`+ ${b[j++]}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** A listing without numbers, so that one line more does not change all that follow. */
const listing = (plan: ContainerPlan, where = machine()): string[] =>
  describeProgram(containerProgram(plan, where))
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .replace(/^ *\d+ {2}/, '')
        .replace(/ {2,}/, '  ')
        .replaceAll(ID, '<id>')
        .replace(/slot \d+/, 'slot'),
    );

describe('containerProgram', () => {
  for (const layout of ['v1', 'hybrid', 'v2'] as const) {
    it(`compiles a container as nothing is asked for, on cgroups ${layout}`, () => {
      golden(`base-${layout}`, describeProgram(containerProgram(BASE_PLAN, machine(LAYOUTS[layout]))));
    });
  }

  it('compiles each wish to just what it changes', () => {
    const text = VARIANTS.map(({ name, plan, machine: where }) => {
      const base = listing(BASE_PLAN, name.startsWith('v2, ') ? machine(LAYOUTS.v2) : machine());
      return `# ${name}\n${difference(base, listing(plan, where))}\n`;
    });
    golden('variants', text.join(''));
  });

  it('can be encoded, whatever is wished for', () => {
    for (const { plan, machine: where } of VARIANTS) {
      const program = containerProgram(plan, where);
      expect(encodeProgram(program).readUInt32LE(8)).to.equal(program.length);
    }
    expect(VARIANTS).to.have.lengthOf.at.least(100);
  });

  const spec = (change: object) => () =>
    containerProgram({ ...BASE_PLAN, spec: { ...BASE_SPEC, ...change } }, machine());
  const linux = (change: object) => spec({ linux: { ...BASE_SPEC.linux, ...change } });
  const refused: readonly (readonly [what: string, compile: () => unknown, words: RegExp])[] = [
    ['a mount over /proc', spec({ mounts: [mount('/proc', 'bind', '/srv', 'bind')] }), /not of type proc/],
    ['a mount in /proc', spec({ mounts: [mount('/proc/self/attr', 'tmpfs', 'tmpfs')] }), /inside \/proc/],
    [
      'a mount in /proc by a detour',
      spec({ mounts: [mount('/x/../proc/1', 'bind', '/srv', 'bind')] }),
      /inside \/proc/,
    ],
    ['a mount over /', spec({ mounts: [mount('/x/..', 'tmpfs', 'tmpfs')] }), /destination can't be '\/'/],
    ['a relative mount path', spec({ mounts: [mount('data', 'tmpfs', 'tmpfs')] }), /must be absolute/],
    ['more binds than slots', spec({ mounts: Array(300).fill(mount('/d', 'bind', '/s', 'bind')) }), /too many mounts/],
    ['a cgroup path that leads up', linux({ cgroupsPath: '/gantry/../../x' }), /invalid cgroup path/],
    ['a cgroup path that is relative', linux({ cgroupsPath: 'gantry/x' }), /invalid cgroup path/],
    ['a sysctl of the host', linux({ sysctl: { 'kernel.core_pattern': '|/x' } }), /not in a separate kernel namespace/],
    ['a sysctl that leads elsewhere', linux({ sysctl: { 'net/../kernel/core_pattern': 'x' } }), /invalid sysctl/],
    ['a sysctl with two lines', linux({ sysctl: { 'net.ipv4.ip_forward': '1\n1' } }), /invalid sysctl/],
    [
      'a sysctl of the host network',
      () =>
        containerProgram(
          {
            ...BASE_PLAN,
            network: { newNamespace: false, operations: [] },
            spec: {
              ...BASE_SPEC,
              linux: {
                ...BASE_SPEC.linux,
                namespaces: [{ type: 'mount' }],
                sysctl: { 'net.ipv4.ip_forward': '1' },
              },
            },
          },
          machine(),
        ),
      /not allowed in host network namespace/,
    ],
    ['a user namespace', linux({ namespaces: [{ type: 'mount' }, { type: 'user' }] }), /user namespaces/],
    ['no mount namespace', linux({ namespaces: [{ type: 'pid' }] }), /mount namespace of its own/],
    [
      'an unknown rlimit',
      spec({ process: { ...BASE_SPEC.process, rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] } }),
      /invalid rlimit/,
    ],
    [
      'an unknown capability',
      spec({
        process: {
          ...BASE_SPEC.process,
          capabilities: { ...BASE_SPEC.process.capabilities, bounding: ['CAP_FLY'] },
        },
      }),
      /invalid capability/,
    ],
  ];
  for (const [what, compile, words] of refused) {
    it(`refuses ${what}`, () => {
      expect(compile).to.throw(words);
    });
  }
});

describe('execProgram', () => {
  const plan = {
    container: ID,
    cgroupsPath: BASE_SPEC.linux.cgroupsPath,
    unifiedPath: `${BASE_SPEC.linux.cgroupsPath}/made-by-itself`,
    process: BASE_SPEC.process,
    user: 'www',
    consoleSize: null,
    filter: new Uint8Array(16),
  };

  it('joins the container before it becomes the user', () => {
    golden('exec', describeProgram(execProgram(plan, machine())));
  });

  it('opens a terminal in the container', () => {
    const process = { ...plan.process, terminal: true };
    golden('exec-terminal', describeProgram(execProgram({ ...plan, process, consoleSize: [24, 80] }, machine())));
  });
});
