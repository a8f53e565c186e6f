import { join } from 'node:path';
import { NotRunning } from '../../api/errors.ts';
import { now, toRFC3339 } from '../../std/timestamp.ts';
import { type Exited, type Monitor, MonitorAttachment } from '../libcontainer/monitor.ts';
import type { Attachment, AttachRequest, Exit, Process } from './driver.ts';
import { readExit } from './exec-root.ts';

/** What a monitor that was itself killed leaves to say: SIGKILL took its process along. */
const LOST_CODE = 137;

export interface Beginning {
  readonly id: string;
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly warnings: readonly string[];
}

/** A process seen through the control connection to its monitor. */
export class MonitoredProcess implements Process {
  readonly pid: number;
  readonly startedAt: string;
  readonly warnings: readonly string[];
  readonly exited: Promise<Exit>;
  readonly #id: string;
  readonly #folder: string;
  readonly #monitor: Monitor;
  #ended = false;

  constructor(folder: string, monitor: Monitor, { id, pid, startedAt, warnings }: Beginning) {
    this.#id = id;
    this.#folder = folder;
    this.#monitor = monitor;
    this.pid = pid;
    this.startedAt = startedAt;
    this.warnings = warnings;
    this.exited = this.#end();
  }

  signal(signo: number): void {
    this.#monitor.signal(signo);
  }

  resize(height: number, width: number): void {
    this.#monitor.resize(height, width);
  }

  async attach(request: Omit<AttachRequest, 'connected'>): Promise<Attachment> {
    // For a moment after the end the monitor is still there.
    if (this.#ended) throw new NotRunning(this.#id);
    try {
      return await MonitorAttachment.find(join(this.#folder, 'sock'), request);
    } catch {
      throw new NotRunning(this.#id);
    }
  }

  /** A daemon that stops lets go of its processes; they go on. */
  release(): void {
    this.#monitor.close();
  }

  async #end(): Promise<Exit> {
    const told = (await this.#monitor.exited) ?? (await readExit(this.#folder));
    this.#ended = true;
    if (told !== null) return exitOf(told);
    return { code: LOST_CODE, oomKilled: false, at: toRFC3339(now()) };
  }
}

export function exitOf({ code, oom, at }: Exited): Exit {
  return { code, oomKilled: oom, at: instant(at) };
}

/** `seconds.nanoseconds` → RFC 3339. */
export function instant(at: string): string {
  const [seconds = '0', nanoseconds = '0'] = at.split('.');
  return toRFC3339(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds.padEnd(9, '0').slice(0, 9)));
}
