/**
 * Logs are written by the container's monitor, which outlives the daemon; a log driver here says how (`writing`) and
 * reads them back. The layout of the files is in ARCHITECTURE.md, 5.4.
 */
export interface LogDriver {
  readonly name: 'json-file' | 'local' | 'none';

  /** Checks the options of `--log-opt` and says what the monitor is to do. Fails with InvalidParameter in Docker's words. */
  writing(folder: string, options: Readonly<Record<string, string>>): LogWriting;

  /** Null where logs cannot be read back: Docker's answer is 'configured logging driver does not support reading'. */
  read: ((path: string, request: LogRequest) => AsyncIterable<LogBatch>) | null;

  /** What `docker logs --details` shows before each line: chosen labels, variables and the tag. */
  attributes(options: Readonly<Record<string, string>>, subject: LogSubject): Readonly<Record<string, string>>;
}

/** Of whom a log is, for its attributes. */
export interface LogSubject {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** `sha256:…` */
  readonly imageID: string;
  readonly imageName: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `KEY=value` */
  readonly env: readonly string[];
}

export interface LogWriting {
  readonly format: 'json-file' | 'local' | 'none';
  /** Absolute path of the newest file; older ones have `.1`, `.2` … behind it. '' for none. */
  readonly path: string;
  /** Bytes at which the file is rotated, 0 for never. */
  readonly maxSize: number;
  /** Files kept, the newest included; at least 1. */
  readonly maxFile: number;
}

export interface LogRequest {
  /** How many of the last entries, or all. */
  readonly tail: number | 'all';
  /** ns since 1970, or null. */
  readonly since: bigint | null;
  /** Reading ends with the first entry after it. */
  readonly until: bigint | null;
  /** Stay for what is yet to come, until `ended` resolves and all is read, or `signal` is raised. */
  readonly follow: boolean;
  readonly ended: Promise<unknown>;
  readonly signal: AbortSignal;
}

/**
 * Some entries in order, in columns: a log is read at the speed of its bytes, not of one object a line. An entry has
 * its newline, unless it is partial: then the next entry of the stream goes on with it.
 */
export interface LogBatch {
  readonly length: number;
  /** All entries, one after the other. */
  readonly bytes: Buffer;
  /** Where in `bytes` entry i ends; it begins where the one before ends. */
  readonly ends: Uint32Array;
  /** STDOUT or STDERR of api/streams.ts. */
  readonly streams: Uint8Array;
  /** The instant of entry i: seconds since 1970, and nanoseconds within the second. */
  readonly seconds: Float64Array;
  readonly nanos: Uint32Array;
}
