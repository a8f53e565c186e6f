/** Whether `error` is a failed system call with one of these symbols of errno(3), such as `ENOENT`. */
export function hasErrno(error: unknown, ...symbols: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && symbols.some((symbol) => symbol === error.code);
}
