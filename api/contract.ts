/** A job as it is told to the outside: one row of GET /jobs. */
import { type Decoded, list, nullable, object, text } from '../std/decode.ts';

export const jobContract = object({
  name: text,
  /** One sentence: what it does. */
  summary: text,
  /** Its arguments: `<container> [signal]`. */
  usage: text,
  /** Names of what its env may have. */
  env: list(text),
  /** What the streams carry; null where nothing is. */
  stdin: nullable(text),
  stdout: nullable(text),
  stderr: nullable(text),
  aliases: list(text),
});
export type JobContract = Decoded<typeof jobContract>;
