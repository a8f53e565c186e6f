/** JSON.parse for text from outside: without a bound on depth, two million brackets take the whole process down. */

/** encoding/json's own bound is 10,000; nothing that comes to us is deeper than a dozen. */
const MAX_DEPTH = 256;

/** Fails with SyntaxError, also for what is more than 256 levels deep. */
export function parseJSON(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError(`more than ${MAX_DEPTH} levels deep`);
  return JSON.parse(text);
}

/** By the brackets that are open at once; those inside strings do not count. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) at = endOfString(text, at);
    else if (char === OPEN_LIST || char === OPEN_OBJECT) {
      if (++depth > MAX_DEPTH) return true;
    } else if (char === CLOSE_LIST || char === CLOSE_OBJECT) depth--;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}
