import type { Duplex } from 'node:stream';
import type { ContainerID, ExecID } from '../../api/ids.ts';
import type { OciSpec } from '../../api/oci.ts';
import { type Operation, SLOT } from '../libcontainer/program.ts';
import type { LogWriting } from '../log/driver.ts';
import type { NetworkPlan } from '../network/driver.ts';

/**
 * An exec driver runs processes under the control of a monitor that outlives this daemon.
 *
 *   run    the container's init: a new monitor, from an OCI spec and what the graph and network drivers ask for
 *   exec   one more process in a running container: a monitor of its own
 *   adopt  after a restart of the daemon: everything that monitors in the exec-root still hold, and what ended meanwhile
 */
export interface ExecDriver {
  readonly name: string;

  /**
   * Starts a container. Resolves when execve(2) has happened. Fails with CommandNotFound, CommandNotExecutable,
   * InvalidParameter or OperationFailed, and nothing is left of it then. `ready`: what the program needs is in place, such
   * as files that it binds; all else is prepared meanwhile. It fails with that, too.
   */
  run(request: RunRequest, ready?: Promise<void>): Promise<Process>;

  exec(request: ExecRequest): Promise<Process>;

  /** What `run` would do, operation by operation; nothing is made. */
  program(request: RunRequest): Promise<readonly Operation[]>;

  /** Finds the monitors that a former daemon left behind. */
  adopt(): Promise<Adopted[]>;

  /** Forgets what the exec-root and the cgroups have of an ended container. Idempotent. */
  forget(id: ContainerID): Promise<void>;

  /** cgroup freezer: every process of the container stands still (`true`) or goes on. */
  freeze(id: ContainerID, frozen: boolean): Promise<void>;

  /** Host pids of all processes in the container's cgroup. */
  pids(id: ContainerID): Promise<number[]>;
}

/** The slot in which `RunRequest.rootfs` opens the rootfs. */
export const ROOTFS_SLOT = SLOT.rootfs;

export interface StdioPlan {
  readonly tty: boolean;
  /** Keep a stdin for whoever attaches; false: /dev/null. */
  readonly openStdin: boolean;
  /** Rows and columns of a new terminal, or null. */
  readonly consoleSize: readonly [height: number, width: number] | null;
  /** Attached before the process starts, so that they miss nothing. */
  readonly attach: readonly AttachRequest[];
}

export interface AttachRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Called with the connection as soon as it is there; it must be taken at once. */
  readonly connected: (attachment: Attachment) => void;
}

export interface RunRequest {
  readonly id: ContainerID;
  /** OCI runtime spec 1.2; `root.path` is where the rootfs will be mounted. */
  readonly spec: OciSpec;
  /** Mounts the rootfs on `spec.root.path` and opens it in slot ROOTFS. */
  readonly rootfs: readonly Operation[];
  readonly network: NetworkPlan;
  readonly stdio: StdioPlan;
  readonly log: LogWriting;
  /** Put a reaper and signal forwarder in front of the process (`--init`). */
  readonly init: boolean;
  /** `user[:group]` as Docker has it, looked up in the rootfs; '' for root. Overrides `spec.process.user`. */
  readonly user: string;
}

export interface ExecRequest {
  readonly id: ExecID;
  readonly container: ContainerID;
  /** `process` of an OCI spec. */
  readonly process: OciSpec['process'];
  readonly user: string;
  readonly stdio: StdioPlan;
}

/** A process under its monitor, running or just ended. */
export interface Process {
  /** As the host sees it. */
  readonly pid: number;
  /** RFC 3339 with nanoseconds. */
  readonly startedAt: string;
  /** What did not work but does not stop the container, in words for the user. */
  readonly warnings: readonly string[];
  /** Resolves once, when the process has ended and all it wrote before is in the log. Never rejects. */
  readonly exited: Promise<Exit>;
  /** signal(7) by number. A process that is gone is no error. */
  signal(signo: number): void;
  resize(height: number, width: number): void;
  attach(request: Omit<AttachRequest, 'connected'>): Promise<Attachment>;
}

export interface Exit {
  /** 0 to 255; 128 + n for signal n. */
  readonly code: number;
  readonly oomKilled: boolean;
  /** RFC 3339 with nanoseconds. */
  readonly at: string;
}

/**
 * A reader and writer of a process's stdio. Readable side: stdcopy frames as buffers, one `data` event a whole frame is
 * not promised; use `api/streams.ts`. Writable side: bytes for stdin. `closeStdin` ends the process's stdin; ending the
 * duplex only detaches.
 */
export interface Attachment {
  readonly connection: Duplex;
  writeStdin(chunk: Buffer): boolean;
  closeStdin(): void;
  detach(): void;
}

export type Adopted =
  | {
      readonly kind: 'container';
      readonly id: ContainerID;
      readonly outcome: { process: Process; isFrozen: boolean } | { exit: Exit };
    }
  | {
      readonly kind: 'exec';
      readonly id: ExecID;
      readonly container: ContainerID;
      readonly outcome: { process: Process } | { exit: Exit };
    };
