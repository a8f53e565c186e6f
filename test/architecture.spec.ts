import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** The root of the sources, above `dist`. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Who may import whom, by the start of the path (ARCHITECTURE.md); the innermost folder decides. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  client: ['api', 'std'],
  server: ['engine', 'api', 'std'],
  engine: ['api', 'std'],
  jobs: ['engine', 'state', 'drivers/\\w+/driver.ts', 'api', 'std'],
  state: ['drivers/\\w+/driver.ts', 'api', 'std'],
  drivers: ['drivers/libcontainer', 'drivers/\\w+/driver.ts', 'api', 'std'],
  'drivers/libcontainer': ['api', 'std'],
  api: ['std'],
  std: [],
  examples: ['engine', 'api', 'std'],
};

/** What they may import for its types alone: a driver's interface speaks of operations. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = {
  jobs: ['drivers/libcontainer/program.ts'],
  state: ['drivers/libcontainer/program.ts'],
};

/** Files that compose: they see more than their folder may. */
const COMPOSE: Readonly<Record<string, readonly string[]>> = {
  'drivers/select.ts': ['drivers/graph'],
};

/** Where a program may be started: outside every request. */
const MAY_SPAWN = /^(test|bench|scripts)\//;

/** Where a type may be asserted: what makes a brand, decodes, or speaks to C. */
const MAY_ASSERT = /^(api\/ids\.ts|std\/decode\.ts|drivers\/libcontainer\/kernel\/)/;

const ASSERTION =
  /[\w)\]}] as (?:[A-Z{[(]|(?:string|number|boolean|bigint|object|unknown|never|readonly|typeof|keyof)\b)/;

const FORBIDDEN_NAMES = /(\/index|(^|\/|-)(utils?|helpers?|common|misc|managers?|base))\.ts$/;

describe('architecture', () => {
  const files = sources();

  it('is looked at whole', () => {
    for (const folder of Object.keys(MAY_IMPORT))
      expect(files.filter((file) => file.startsWith(`${folder}/`)).length, folder).to.be.greaterThan(1);
  });

  it('sees what it forbids', () => {
    const file = 'jobs/x.ts';
    const text =
      "import { Vfs } from '../drivers/graph/vfs.ts';\nimport type { A } from './b';\nconst c: any = await import('./d.ts');";
    expect(importsOf(file, text)).to.deep.equal([
      { target: 'drivers/graph/vfs.ts', isType: false },
      { target: 'jobs/b', isType: true },
      { target: 'jobs/d.ts', isType: false },
    ]);
    expect(offencesOf(file, text)).to.deep.equal(['it has a type any', 'jobs/b has no ending .ts']);
    const more =
      "import { spawn } from 'node:child_process';\nexport * from './a.ts';\nconst b = c as Type;\nconsole.log(b);";
    expect(offencesOf('jobs/utils.ts', more)).to.have.length(5);
    expect(ruleOf(file)).to.equal('jobs');
  });

  it('goes round in no circle of imports, but for types', () => {
    expect(inCircles(new Map(Object.entries({ a: ['b'], b: ['c', 'd'], c: ['b'], d: [] })))).to.deep.equal([
      'a',
      'b',
      'c',
    ]);
    expect(inCircles(new Map(files.map((file) => [file, valuesFrom(file)])))).to.deep.equal([]);
  });

  for (const file of files) {
    const rule = ruleOf(file);
    const text = readFileSync(posix.join(ROOT, file), 'utf8');
    describe(file, () => {
      if (rule !== null) {
        it(`imports only what ${rule} may`, () => {
          const allowed = [homeOf(file, rule), ...(MAY_IMPORT[rule] ?? []), ...(COMPOSE[file] ?? [])];
          for (const { target, isType } of importsOf(file, text)) {
            const places = isType ? [...allowed, ...(MAY_IMPORT_TYPES[rule] ?? [])] : allowed;
            const fits = places.some((place) => new RegExp(`^${place}(/|$)`).test(target));
            expect(fits, `it imports ${target}`).to.equal(true);
          }
        });
      }
      it('keeps the house rules', () => expect(offencesOf(file, text)).to.deep.equal([]));
    });
  }
});

function sources(): string[] {
  const paths = readdirSync(ROOT, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => path.endsWith('.ts') && !/^(dist|node_modules|\.git)\//.test(path)).sort();
}

/** boot.ts, config.ts, bin/, test/, bench/ and scripts/ compose, and may see all. */
function ruleOf(file: string): string | null {
  return (
    Object.keys(MAY_IMPORT)
      .filter((folder) => file.startsWith(`${folder}/`))
      .at(-1) ?? null
  );
}

/** Imports inside a folder are free; of two drivers, neither knows the other. */
function homeOf(file: string, rule: string): string {
  return rule === 'drivers' ? posix.dirname(file) : rule;
}

interface Import {
  readonly target: string;
  /** `import type`: gone when it is compiled. */
  readonly isType: boolean;
}

function importsOf(file: string, text: string): Import[] {
  const at = (path: string) => posix.join(posix.dirname(file), path);
  const declared = text.matchAll(/^(?:import|export) (type )?[^;']*?from '(\.[^']+)'/gm);
  const loaded = text.matchAll(/\bimport ?\(? ?'(\.[^']+)'/g);
  return [
    ...[...declared].map(([, type, path = '']) => ({ target: at(path), isType: type !== undefined })),
    ...[...loaded].map(([, path = '']) => ({ target: at(path), isType: false })),
  ];
}

function valuesFrom(file: string): string[] {
  const imports = importsOf(file, readFileSync(posix.join(ROOT, file), 'utf8'));
  return imports.flatMap(({ target, isType }) => (isType ? [] : [target]));
}

/** Files of a circle, and those that lead into one: what is left when all that imports nothing which is left has gone. */
function inCircles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  let left = new Set(imports.keys());
  for (;;) {
    const rest = [...left].filter((file) => imports.get(file)?.some((target) => left.has(target)));
    if (rest.length === left.size) return rest;
    left = new Set(rest);
  }
}

function offencesOf(file: string, text: string): string[] {
  const code = withoutComments(text);
  const found: string[] = [];
  const forbid = (isAllowed: boolean, pattern: RegExp, words: string) => {
    if (!isAllowed && pattern.test(code)) found.push(words);
  };
  if (FORBIDDEN_NAMES.test(file)) found.push('its name says nothing');
  forbid(false, /(?:[:<,|&(]|\bas) *any\b(?! *[:'])/, 'it has a type any');
  forbid(MAY_SPAWN.test(file), /from '(node:)?child_process'/, 'it starts programs by child_process');
  forbid(MAY_SPAWN.test(file), /from 'execa'/, 'it starts programs by execa');
  forbid(false, /^export (\*|\{[^}]*\}) from/m, 'it exports what another file defines');
  forbid(false, /@ts-(ignore|nocheck|expect-error)/, 'it silences the compiler');
  forbid(MAY_ASSERT.test(file) || /^(test|bench)\//.test(file), ASSERTION, 'it asserts a type');
  forbid(/^(bin|client|test|bench|scripts)\//.test(file), /\bconsole\./, 'it writes to the console');
  for (const { target } of importsOf(file, text))
    if (!target.endsWith('.ts')) found.push(`${target} has no ending .ts`);
  return found;
}

/** Also without the text of strings, which may speak of anything, but for what stands behind `from`. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replace(/^import [^;]*;/gm, (line) => line.replace(/\bas \w+/g, ''))
    .replace(/(?<!from )(['"])(?:\\.|(?!\1)[^\\\n])*\1/g, "''");
}
