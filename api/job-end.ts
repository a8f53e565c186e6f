/** How a job that was run over HTTP ended: the last frame of POST /jobs/{name}. */
import { anything, type Decoded, integer, nullable, object, optional, text } from '../std/decode.ts';

export const jobEnd = object({
  /** Exit status: 0 for well. */
  status: integer,
  result: optional(anything, null),
  error: nullable(object({ message: text, httpStatus: integer })),
});
export type JobEnd = Decoded<typeof jobEnd>;
