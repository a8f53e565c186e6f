/**
 * Words as a Dockerfile has them: split at blanks, quotes and backslashes taken away, `$NAME`, `${NAME}`, `${NAME:-word}`
 * and `${NAME:+word}` replaced (Dockerfile reference, "Environment replacement").
 */
import { InvalidParameter } from '../../api/errors.ts';

export type Variables = ReadonlyMap<string, string>;

/** Longest result, in characters: a variable may stand for more than it takes to write. */
const MAX_LENGTH = 1024 ** 2;
const VARIABLE = /^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::([-+])([^{}]*))?\})/;

/** Splits at blanks outside quotes; quotes and backslashes stay. Fails with InvalidParameter on an open quote. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    word += char;
    if (char === '\\' && quote !== "'") word += text.charAt(++at);
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  if (quote !== '')
    throw new InvalidParameter(
      `unexpected end of statement while looking for matching ${quote === '"' ? 'double-quote' : 'single-quote'}`,
    );
  return word === '' ? words : [...words, word];
}

/** A word without its quotes and backslashes, with variables replaced where they are not quoted singly. */
export function expandWord(word: string, variables: Variables): string {
  let result = '';
  let quote = '';
  for (let at = 0; at < word.length; at++) {
    const char = word.charAt(at);
    if (quote !== "'" && char === '\\') result += escaped(word.charAt(++at), quote);
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else if (quote !== "'" && char === '$') {
      const { value, length } = variableAt(word.slice(at), variables);
      result += value;
      at += length - 1;
    } else result += char;
    if (result.length > MAX_LENGTH) throw new InvalidParameter(`a word of the change is over ${MAX_LENGTH} characters`);
  }
  return result;
}

/** Within double quotes a backslash stays before what needs none. */
function escaped(char: string, quote: string): string {
  return quote === '"' && !'"$\\'.includes(char) ? `\\${char}` : char;
}

function variableAt(text: string, variables: Variables): { value: string; length: number } {
  const match = VARIABLE.exec(text);
  if (match === null) {
    if (text.startsWith('${'))
      throw new InvalidParameter(`unsupported modifier or syntax error in substitution: ${text}`);
    return { value: '$', length: 1 };
  }
  const [whole, plain, braced, modifier, word = ''] = match;
  const value = variables.get(plain ?? braced ?? '') ?? '';
  if (modifier === '-') return { value: value === '' ? expandWord(word, variables) : value, length: whole.length };
  if (modifier === '+') return { value: value === '' ? '' : expandWord(word, variables), length: whole.length };
  return { value, length: whole.length };
}
