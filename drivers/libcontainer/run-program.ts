import { OperationFailed } from '../../api/errors.ts';
import { describe, describeFailure } from './describe.ts';
import { encodeProgram } from './encode.ts';
import { errnoSymbol } from './errno.ts';
import { type ProgramReport, runEncodedProgram } from './kernel/program.ts';
import type { Operation } from './program.ts';

/** See `runEncodedProgram`. Fails with OperationFailed, which tells which operation of which owner it was. */
export async function runProgram(
  program: readonly Operation[],
  { privateMounts = false }: { readonly privateMounts?: boolean } = {},
): Promise<ProgramReport> {
  const report = await runEncodedProgram(encodeProgram(program), privateMounts);
  if (report.failed === null) return report;
  const { op, errno, detail } = report.failed;
  const operation = program[op];
  const words = describeFailure(program, op, errno);
  throw new OperationFailed(
    operation === undefined ? 'program' : describe(operation),
    errnoSymbol(errno),
    detail === '' ? words : `${words}: ${detail}`,
  );
}
