/** What was thrown: in JavaScript that is anything. */

/** In words. */
export function messageOf(reason: unknown): string {
  return reason instanceof Error && reason.message !== '' ? reason.message : String(reason);
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
