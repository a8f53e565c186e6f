/** The default of an exhaustive switch: a new member of the union does not compile until it has its case. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
