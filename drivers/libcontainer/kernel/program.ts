import { binding } from './binding.ts';
import { checkedBytes } from './call.ts';

/** What came of a kernel program: `struct report` of native/interpreter.h. */
export interface ProgramReport {
  /** The operation that failed, by its index, or null. */
  readonly failed: { readonly op: number; readonly errno: number; readonly detail: string } | null;
  readonly warnings: readonly { readonly op: number; readonly errno: number }[];
  /** Nanoseconds of every operation that ran. */
  readonly ns: readonly number[];
}

const FAILED = 4;
const ERRNO = 8;
const DONE = 16;
const WARNING_COUNT = 20;
const WARNINGS = 24;
const DETAIL = WARNINGS + 64 * 8;
const NS = DETAIL + 512;

/**
 * Runs an encoded program (encode.ts) in the daemon's own namespaces, on a thread that is gone afterwards. What would
 * change the whole process (clone, setns, credentials, seccomp, execve, …) fails with ENOTSUP. With `privateMounts` it
 * has a mount namespace of its own, and what it mounts vanishes at its end.
 */
export async function runEncodedProgram(program: Uint8Array, privateMounts: boolean): Promise<ProgramReport> {
  const outcome = await binding().pool.runProgram(program, Number(privateMounts));
  const report = checkedBytes('program', [program.length], outcome);
  const count = report.readUInt32LE(WARNING_COUNT);
  const warnings = Array.from({ length: count }, (_, index) => ({
    op: report.readUInt32LE(WARNINGS + 8 * index),
    errno: report.readInt32LE(WARNINGS + 8 * index + 4),
  }));
  const ns = Array.from({ length: report.readUInt32LE(DONE) }, (_, index) =>
    Number(report.readBigUInt64LE(NS + 8 * index)),
  );
  const errno = report.readInt32LE(ERRNO);
  if (errno === 0) return { failed: null, warnings, ns };
  const detail = report.toString('utf8', DETAIL, report.indexOf(0, DETAIL));
  return { failed: { op: report.readInt32LE(FAILED), errno, detail }, warnings, ns };
}
