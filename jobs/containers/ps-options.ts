/** (pure) The arguments of ps(1) as `docker top` takes them: which columns, under which titles, in which order. */
import { SystemFailure } from '../../api/errors.ts';
import { type Column, columnOf } from './ps-columns.ts';

export interface PsList {
  readonly columns: readonly Column[];
  /** Children under their parents. */
  readonly isForest: boolean;
}

/** Columns of the formats that ps has a letter for. `SysV` behind a dash, `BSD` without. */
const SYSV_FORMATS: Readonly<Record<string, string>> = {
  '': 'pid tname time ucmd=CMD',
  f: 'user=UID pid ppid c stime tname time cmd',
  fj: 'user=UID pid ppid pgid sid c stime tname time cmd',
  F: 'user=UID pid ppid c sz rss psr stime tname time cmd',
  Fj: 'user=UID pid ppid pgid sid c sz rss psr stime tname time cmd',
  l: 'f s uid pid ppid c opri=PRI ni addr sz wchan tname time ucmd',
  fl: 'f s user=UID pid ppid c opri=PRI ni addr sz wchan stime tname time cmd',
  fjl: 'f s user=UID pid ppid pgid sid c opri=PRI ni addr sz wchan stime tname time cmd',
  j: 'pid pgid sid tname time ucmd',
};
const BSD_FORMATS: Readonly<Record<string, string>> = {
  '': 'pid tname stat bsdtime args',
  u: 'user pid pcpu pmem vsz rss tname stat start_time bsdtime args',
  l: 'f uid pid ppid priority ni vsz rss wchan stat tname bsdtime args',
  j: 'ppid pid pgid sid tname tpgid stat uid bsdtime args',
};
/** Time to read them grows with their square. */
const MAX_ARGS_LENGTH = 4096;
/** Letters that choose processes or the width of the list: the container's processes are chosen already. */
const SYSV_NEUTRAL = 'eAadNw';
const BSD_NEUTRAL = 'axgrTwn';

/** Docker takes only words divided by single blanks apart, as we do. Fails with SystemFailure in the words of ps. */
export function parsePsOptions(args: string): PsList {
  if (args.length > MAX_ARGS_LENGTH) refuse(`arguments of over ${MAX_ARGS_LENGTH} characters`);
  checkTitles(args);
  const parser = new Parser(args.split(' ').filter((word) => word !== ''));
  const list = parser.parse();
  if (!list.columns.some(({ title }) => title === 'PID')) {
    throw new SystemFailure("Couldn't find PID field in ps output");
  }
  return list;
}

/** Another column that calls itself PID would show wrong processes. */
function checkTitles(args: string): void {
  for (const [, specifier, title] of args.matchAll(/\s+([^\s]*)=\s*(PID[^\s]*)/g)) {
    if (specifier !== 'pid') throw new SystemFailure(`specifying "${specifier}=${title}" is not allowed`);
  }
}

class Parser {
  readonly #words: string[];
  readonly #formats = new Set<string>();
  readonly #own: Column[] = [];
  #isBsd = false;
  #isForest = false;

  constructor(words: string[]) {
    this.#words = words;
  }

  parse(): PsList {
    for (let word = this.#words.shift(); word !== undefined; word = this.#words.shift()) {
      if (word.startsWith('--')) this.#long(word.slice(2));
      else if (word.startsWith('-') && word !== '-') this.#letters(word.slice(1), false);
      else this.#letters(word, true);
    }
    if (this.#own.length > 0 && this.#formats.size > 0) refuse('conflicting format options');
    return { columns: this.#own.length > 0 ? this.#own : this.#named(), isForest: this.#isForest };
  }

  #letters(letters: string, isBsd: boolean): void {
    for (let at = 0; at < letters.length; at++) {
      const letter = letters[at] ?? '';
      if (letter === 'o') {
        this.#format(letters.slice(at + 1) || this.#words.shift());
        return;
      }
      if ((isBsd ? BSD_NEUTRAL : SYSV_NEUTRAL).includes(letter)) this.#isBsd ||= isBsd;
      else if (letter === (isBsd ? 'f' : 'H')) this.#isForest = true;
      else if ((isBsd ? 'ulj' : 'fFlj').includes(letter)) this.#choose(letter, isBsd);
      else refuse(`unsupported ${isBsd ? 'option (BSD syntax)' : 'SysV option'}`);
    }
  }

  #long(option: string): void {
    const [name = '', value] = option.split(/=(.*)/s);
    if (name === 'forest') this.#isForest = true;
    else if (name === 'format') this.#format(value ?? this.#words.shift());
    else if (name === 'cols' || name === 'columns' || name === 'width') this.#ignore(value ?? this.#words.shift());
    else refuse('unknown gnu long option');
  }

  #ignore(value: string | undefined): void {
    if (value === undefined || !/^\d+$/.test(value))
      refuse('number of columns must follow --cols, --width, or --columns');
  }

  #choose(letter: string, isBsd: boolean): void {
    this.#formats.add(letter);
    this.#isBsd ||= isBsd;
  }

  /** `a,b,c` or, to the end of the word, `a=TITLE`. */
  #format(list: string | undefined): void {
    if (list === undefined) refuse('format specification must follow -o');
    const titled = /^(.*?)([^,=]+)=(.*)$/s.exec(list);
    const plain = titled === null ? list : (titled[1] ?? '');
    for (const specifier of plain.split(',').filter((each) => each !== '')) this.#own.push(own(specifier));
    if (titled !== null) this.#own.push({ ...own(titled[2] ?? ''), title: titled[3] ?? '' });
  }

  #named(): Column[] {
    const formats = this.#isBsd ? BSD_FORMATS : SYSV_FORMATS;
    const letters = [...this.#formats].filter((letter) => letter !== 'f' || !this.#formats.has('F'));
    const name = letters.sort().join('');
    const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
    if (format === undefined) refuse('conflicting format options');
    return format.split(' ').map((each) => {
      const [specifier = '', title] = each.split('=');
      return title === undefined ? own(specifier) : { ...own(specifier), title };
    });
  }
}

function own(specifier: string): Column {
  return columnOf(specifier) ?? refuse(`unknown user-defined format specifier "${specifier}"`);
}

function refuse(reason: string): never {
  throw new SystemFailure(`ps: error: ${reason}`);
}
