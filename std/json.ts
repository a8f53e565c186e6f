/**
 * JSON in which a bigint is bare digits, as Go writes an int64. A number of JavaScript holds 53 bits; times in
 * nanoseconds and some limits need more.
 */
export function toJSON(value: unknown): string {
  return (hasBigInt(value, 0) ? write(value) : JSON.stringify(value)) ?? 'null';
}

/** Deeper than any answer of ours: past it JSON.stringify decides. */
const MAX_DEPTH = 64;

function hasBigInt(value: unknown, depth: number): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false;
  for (const each of Object.values(value)) if (hasBigInt(each, depth + 1)) return true;
  return false;
}

function write(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map((each) => write(each) ?? 'null').join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members: string[] = [];
  for (const [key, each] of Object.entries(value)) {
    const text = write(each);
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}
