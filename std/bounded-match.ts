import { createContext, Script } from 'node:vm';

const TIMED_OUT = 'ERR_SCRIPT_EXECUTION_TIMEOUT';

/**
 * Those of `texts` in which one of the regular expressions `patterns` is found; null when that takes longer than `ms`.
 * Patterns come from users, and JavaScript's backtrack: `(a+)+$` against a name of thirty letters would hold the daemon
 * for a minute. Each pattern is a valid one.
 */
export function matchingWithin(ms: number, patterns: readonly string[], texts: readonly string[]): Set<string> | null {
  const context = createContext({ expressions: patterns.map((pattern) => new RegExp(pattern)), texts });
  const script = new Script('texts.map((text) => (expressions.some((each) => each.test(text)) ? "1" : "0")).join("")');
  try {
    const found = String(script.runInContext(context, { timeout: ms }));
    return new Set(texts.filter((_, at) => found[at] === '1'));
  } catch (error) {
    // It is an Error of the other context, and no instance of ours.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === TIMED_OUT) return null;
    throw error;
  }
}

export function isPattern(text: string): boolean {
  try {
    return new RegExp(text) !== null;
  } catch {
    return false;
  }
}
