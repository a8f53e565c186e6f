import { EngineError } from '../api/errors.ts';

/** What fails in `run` says first what it was for, as Docker's `Cannot kill container: web: …`; kind and cause stay. */
export async function naming<Result>(purpose: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof EngineError) error.message = `${purpose}: ${error.message}`;
    throw error;
  }
}
