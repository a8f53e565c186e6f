/** Where things stand in a JSON text that a person wrote, so that an error can point there. */
export interface Position {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The offset that JSON.parse complains about; the end of the text when it names none. */
export function offsetOfSyntaxError(error: SyntaxError, text: string): number {
  const offset = /at position (\d+)/.exec(error.message)?.[1];
  return offset === undefined ? text.length : Number(offset);
}

/** The keys of the outermost object with their offsets, in order, doubles too. `text` is valid JSON. */
export function outerKeys(text: string): { readonly key: string; readonly offset: number }[] {
  const keys: { key: string; offset: number }[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    else if (char === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && /^\s*:/.test(text.slice(end + 1))) {
        const key: unknown = JSON.parse(text.slice(at, end + 1));
        keys.push({ key: String(key), offset: at });
      }
      at = end;
    }
  }
  return keys;
}

/** Of the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
