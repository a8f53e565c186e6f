/**
 * Shell patterns as Go's path.Match has them: `*` any run without `/`, `?` one character but `/`, `[a-z]`, `[^a-z]`, and
 * a backslash before what is meant as it is. The whole name must match. Takes at most pattern × name steps.
 */
interface Class {
  readonly isNegated: boolean;
  readonly ranges: readonly (readonly [from: string, to: string])[];
}
type Token = { readonly char: string } | { readonly any: 'one' | 'run' } | Class;

/** Null where the pattern is not one. */
export function compileGlob(pattern: string): ((name: string) => boolean) | null {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === '*') tokens.push({ any: 'run' });
    else if (char === '?') tokens.push({ any: 'one' });
    else if (char === '[') {
      const end = classEnd(pattern, at);
      const parsed = end === null ? null : classOf(pattern.slice(at + 1, end));
      if (end === null || parsed === null) return null;
      tokens.push(parsed);
      at = end;
    } else {
      const meant = char === '\\' ? pattern.charAt(++at) : char;
      if (meant === '') return null;
      tokens.push({ char: meant });
    }
  }
  return (name) => matches(tokens, name);
}

function classEnd(pattern: string, start: number): number | null {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern.charAt(at) === '\\') at++;
    else if (pattern.charAt(at) === ']') return at;
  }
  return null;
}

function classOf(text: string): Class | null {
  const isNegated = text.startsWith('^');
  const ranges: [string, string][] = [];
  const part = /(?:\\(.)|([^\\\]-]))(?:-(?:\\(.)|([^\\\]-])))?/suy;
  part.lastIndex = isNegated ? 1 : 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return null;
    const from = match[1] ?? match[2] ?? '';
    ranges.push([from, match[3] ?? match[4] ?? from]);
  }
  return ranges.length === 0 ? null : { isNegated, ranges };
}

/** A run that took too little takes one more; an earlier one never has to, since no run may pass a `/`. */
function matches(tokens: readonly Token[], name: string): boolean {
  let [token, at] = [0, 0];
  let [runToken, runAt] = [-1, 0];
  while (at < name.length || token < tokens.length) {
    const wanted = tokens[token];
    if (wanted !== undefined && 'any' in wanted && wanted.any === 'run') {
      [runToken, runAt] = [token, at];
      token++;
    } else if (wanted !== undefined && at < name.length && accepts(wanted, name.charAt(at))) {
      token++;
      at++;
    } else if (runToken >= 0 && runAt < name.length && name.charAt(runAt) !== '/') {
      runAt++;
      [token, at] = [runToken + 1, runAt];
    } else return false;
  }
  return true;
}

function accepts(token: Token, char: string): boolean {
  if ('char' in token) return token.char === char;
  if ('any' in token) return char !== '/';
  return char !== '/' && token.ranges.some(([from, to]) => from <= char && char <= to) !== token.isNegated;
}
