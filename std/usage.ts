/**
 * The words a command takes, written as its usage line, which is also what reads them:
 *
 *   `<container> [signal]`    one, and perhaps another
 *   `[address…]`              as many as you like
 */

/** The usage line that a list of arguments has: a line that does not fit its arguments does not compile. */
export type UsageFor<Args extends readonly unknown[]> = Args extends readonly []
  ? ''
  : number extends Args['length']
    ? `[${string}…]`
    : Args extends readonly [string, ...infer Rest]
      ? Joined<`<${string}>`, Rest>
      : Args extends readonly [string?, ...infer Rest]
        ? Joined<`[${string}]`, Rest>
        : string;
type Joined<Word extends string, Rest extends readonly unknown[]> = Rest extends readonly []
  ? Word
  : `${Word} ${UsageFor<Rest>}`;

interface Arity {
  readonly least: number;
  readonly most: number;
}

/** Are these so many words as the usage line has? Fails when the line is none. */
export function fitsUsage<Args>(words: unknown, usage: string): words is Args {
  const { least, most } = arityOf(usage);
  return Array.isArray(words) && words.length >= least && words.length <= most;
}

/** Fails with a TypeError when it is no usage line, such as when a word that must be there follows one that need not. */
export function arityOf(usage: string): Arity {
  const words = usage.split(' ').filter((word) => word !== '');
  const least = words.filter((word) => /^<[^<>[\]]+>$/.test(word)).length;
  const isInOrder = words.every((word, index) => (index < least ? word.startsWith('<') : /^\[[^<>[\]]+\]$/.test(word)));
  if (!isInOrder) throw new TypeError(`not a usage line, such as \`<container> [signal]\`: ${usage}`);
  return { least, most: words.at(-1)?.endsWith('…]') === true ? Number.POSITIVE_INFINITY : words.length };
}
