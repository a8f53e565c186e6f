/**
 * Logs are written by the container's monitor, which outlives the daemon; a log driver here says how (`writing`) and
 * reads them back.
 */
export interface LogDriver {
  readonly name: 'json-file' | 'local' | 'none';

  /** Checks the options of `--log-opt` and says what the monitor is to do. Fails with InvalidParameter in Docker's words. */
  writing(folder: string, options: Readonly<Record<string, string>>): LogWriting;

  /** Null where logs cannot be read back: Docker's answer is 'configured logging driver does not support reading'. */
  read: ((path: string, request: LogRequest) => AsyncIterable<LogEntry>) | null;
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
  /** How many of the last lines, or all. */
  readonly tail: number | 'all';
  /** ns since 1970, or null. */
  readonly since: bigint | null;
  readonly until: bigint | null;
  /** Stay for what is yet to come, until `ended` resolves and all is read, or `signal` is raised. */
  readonly follow: boolean;
  readonly ended: Promise<unknown>;
  readonly signal: AbortSignal;
}

export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  /** ns since 1970. */
  readonly time: bigint;
  /** With its newline, unless the line is partial: the next entry of the stream goes on with it. */
  readonly line: Buffer;
}
