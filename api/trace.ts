/**
 * What happens inside the daemon, as it happens. Whoever does something that takes time says so on a diagnostics
 * channel (node:diagnostics_channel), which costs next to nothing while nobody listens; `engine/trace.ts` listens and
 * knows the job that it belongs to. Instants in milliseconds since 1970 with fraction, durations in nanoseconds.
 */
import {
  DecodeError,
  type Decoder,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
} from '../std/decode.ts';

export const CHANNEL = { job: 'gantry:job', driver: 'gantry:driver', operation: 'gantry:operation' } as const;

/** On `gantry:job`, as a job starts. */
export interface JobBegan {
  readonly kind: 'job';
  readonly id: number;
  /** The job that ran this one; null at the top. */
  readonly parent: number | null;
  readonly name: string;
  readonly args: readonly (string | undefined)[];
  readonly at: number;
}

/** On `gantry:job`, as it ends. */
export interface JobEnded {
  readonly kind: 'job-end';
  readonly id: number;
  readonly ns: number;
  readonly status: number;
  /** Why it failed, in words; null when it did not. */
  readonly error: string | null;
}

/** On `gantry:driver`, once a call of a driver is back. */
export interface DriverCall {
  readonly kind: 'driver';
  /** Such as `graph/overlay2`. */
  readonly driver: string;
  readonly method: string;
  readonly at: number;
  readonly ns: number;
  readonly error: string | null;
}

/** On `gantry:operation`, one for each operation of a kernel program that ran, in order, once the report is there. */
export interface KernelOperation {
  readonly kind: 'operation';
  readonly owner: string;
  readonly op: string;
  /** Its place in the program, from 0, and how many there are. */
  readonly index: number;
  readonly total: number;
  readonly ns: number;
  /** The symbol of errno(3) where it failed; null where it did not. */
  readonly errno: string | null;
  /** What it was about, in a few words: a path, an address. */
  readonly detail: string;
}

/** On `gantry:operation`, once a whole program has run: its operations are put into words when somebody looks. */
export interface ProgramRan {
  readonly kind: 'program';
  readonly operations: () => readonly KernelOperation[];
}

export type JobMessage = JobBegan | JobEnded;
/** `job`: during which job it was; null for the daemon's own doing. */
export type TraceEvent = JobMessage | ((DriverCall | KernelOperation) & { readonly job: number | null });

/** A top-level job, and everything that happened under it. */
export interface TracedRequest {
  /** The id of the job. */
  readonly id: number;
  readonly events: readonly TraceEvent[];
  /** Events over the bound of one request, left out. */
  readonly dropped: number;
}

/** An event as it comes over HTTP. */
export const traceEvent: Decoder<TraceEvent> = (value, path) => {
  const { kind } = object({ kind: text })(value, path);
  const decoder = DECODERS.find((each) => each.kind === kind)?.decode;
  if (decoder === undefined) throw new DecodeError(`${path}.kind`, 'a kind of event', kind);
  return decoder(value, path);
};

export const tracedRequest: Decoder<TracedRequest> = (value, path) =>
  object({ id: integer, events: list(traceEvent), dropped: integer })(value, path);

const job = nullable(integer);
const error = nullable(text);
const DECODERS: readonly { readonly kind: TraceEvent['kind']; readonly decode: Decoder<TraceEvent> }[] = [
  {
    kind: 'job',
    decode: object({
      kind: oneOf('job'),
      id: integer,
      parent: nullable(integer),
      name: text,
      args: list(optional(text, '')),
      at: number,
    }),
  },
  {
    kind: 'job-end',
    decode: object({ kind: oneOf('job-end'), id: integer, ns: number, status: integer, error }),
  },
  {
    kind: 'driver',
    decode: object({ kind: oneOf('driver'), driver: text, method: text, at: number, ns: number, error, job }),
  },
  {
    kind: 'operation',
    decode: object({
      kind: oneOf('operation'),
      owner: text,
      op: text,
      index: integer,
      total: integer,
      ns: number,
      errno: nullable(text),
      detail: optional(text, ''),
      job,
    }),
  },
];
