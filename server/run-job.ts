/** How a route runs a job of which the output is the answer. */
import type { JobTable } from '../api/jobs.ts';
import type { Accepted, Job, Signature } from '../engine/job.ts';
import { asError, messageOf } from '../std/thrown.ts';
import { Outflow } from './outflow.ts';
import type { LongAnswer } from './route.ts';
import { StdioFrames } from './stdio-frames.ts';

export interface Stdio<S extends Signature> {
  readonly accepted: Accepted<S> | null;
  readonly frames: StdioFrames;
  readonly out: Outflow;
}

/**
 * Runs a job and resolves when it has accepted, its stdout and stderr going to `out`; the caller says `frames.begin`. A
 * failure before that is thrown, to be answered with its own status; a later one is told in the stream.
 */
export async function runStdio<S extends Signature>(job: Job<S, JobTable>): Promise<Stdio<S>> {
  const out = new Outflow();
  const frames = new StdioFrames(out);
  job.stdout.add(frames.stdout);
  job.stderr.add(frames.stderr);
  const running = job.run();
  running.catch(() => {});
  const accepted = await job.accepted;
  running.catch((error: unknown) => frames.fail(messageOf(error))).finally(() => out.end());
  return { accepted, frames, out };
}

/**
 * Runs a job that writes lines of JSON, and answers with them. Headers go out when the job accepts or writes; a failure
 * after that becomes a last line, as clients of Docker read it. `isAtOnce`: headers do not wait.
 */
export async function answerLines<S extends Signature>(
  job: Job<S, JobTable>,
  { isAtOnce = false }: { readonly isAtOnce?: boolean } = {},
): Promise<LongAnswer> {
  const out = new Outflow();
  job.stdout.add({
    write: (chunk) => out.write(chunk),
    drained: () => out.drained(),
    end: (error) => error && out.end(error),
  });
  const running = job.run();
  running.catch(() => {});
  if (!isAtOnce) await Promise.race([job.accepted, out.begun]);
  running
    .catch((error: unknown) => {
      const message = messageOf(error);
      out.write(Buffer.from(`${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`));
    })
    .finally(() => out.end());
  return { status: 200, contentType: 'application/json', out };
}

/** Runs a job, sends headers when it accepts, and its result as JSON when it is there. */
export async function answerWhenDone<S extends Signature>(
  job: Job<S, JobTable>,
  word: (result: S['result']) => unknown,
): Promise<LongAnswer> {
  const out = new Outflow();
  const running = job.run();
  running.then(
    (result) => {
      out.write(Buffer.from(`${JSON.stringify(word(result))}\n`));
      out.end();
    },
    (error: unknown) => out.end(asError(error)),
  );
  await job.accepted;
  return { status: 200, contentType: 'application/json', out };
}
