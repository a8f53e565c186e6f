/** Go's `omitempty`, in nested objects too: what says nothing is left out. An object that is there says that. */
export function omitEmpty(fields: object): Record<string, unknown> {
  const kept = Object.entries(fields).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(kept.map(([name, value]) => [name, isFields(value) ? omitEmpty(value) : value]));
}

export function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === null || value === '' || value === false || value === 0;
}

function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
