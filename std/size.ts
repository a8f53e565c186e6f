/** Bytes in words: `64m`, `1.5GB`, `1024` (docker/go-units, RAMInBytes: powers of 1024). null where it is none. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])i?)?b?$/i.exec(text.trim());
  if (match === null) return null;
  const [, digits = '', unit = ''] = match;
  const bytes = Math.trunc(Number(digits) * 1024 ** ' kmgtp'.indexOf(unit.toLowerCase() || ' '));
  return Number.isSafeInteger(bytes) ? bytes : null;
}
