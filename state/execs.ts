import type { ExecConfig } from '../api/container.ts';
import { Conflict, NoSuchExec } from '../api/errors.ts';
import type { ContainerID, ExecID } from '../api/ids.ts';
import type { Process } from '../drivers/exec/driver.ts';
import { MultiMap } from '../std/multi-map.ts';
import { PrefixIndex } from '../std/prefix-index.ts';

/** How long an ended exec can still be asked for its code, as in dockerd. */
const KEPT_MS = 5 * 60_000;
/** Ended execs kept at most, of all containers. */
const MAX_ENDED = 4096;
/** Execs of one container that are not ended, made but not started ones included. */
const MAX_OPEN = 4096;

/** An extra process in a container; in memory, and in the exec-root while it runs. */
export interface ExecRecord {
  readonly ID: ExecID;
  readonly ContainerID: ContainerID;
  readonly Config: ExecConfig;
  readonly State:
    | { readonly status: 'created' }
    | { readonly status: 'running'; readonly pid: number }
    | { readonly status: 'exited'; readonly pid: number; readonly exitCode: number };
}

interface Entry {
  record: ExecRecord;
  process: Process | null;
  /** To be called when it runs, has ended or is forgotten. */
  readonly waiting: Set<() => void>;
}

/** Extra processes of containers: in memory only; a daemon that restarts finds the running ones by their monitors. */
export class Execs {
  readonly #entries = new Map<ExecID, Entry>();
  readonly #index = new PrefixIndex<ExecID>();
  readonly #byContainer = new MultiMap<ContainerID, ExecID>();
  /** When each ended, the longest ended first. */
  readonly #ended = new Map<ExecID, number>();
  readonly #clock: () => number;

  /** `clock` gives milliseconds that never go back. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Fails with Conflict when the container has too many that have not ended. */
  add(record: ExecRecord): void {
    this.#forgetOld();
    const siblings = this.#byContainer.get(record.ContainerID);
    if (siblings.size >= MAX_OPEN && this.#open(siblings) >= MAX_OPEN) {
      throw new Conflict(`container ${record.ContainerID} has ${MAX_OPEN} exec instances that have not ended`);
    }
    this.#byContainer.add(record.ContainerID, record.ID);
    this.#entries.set(record.ID, { record, process: null, waiting: new Set() });
    this.#index.add(record.ID);
    if (record.State.status === 'exited') this.#ended.set(record.ID, this.#clock());
  }

  /** By id or unique prefix. Fails with NoSuchExec. */
  get(reference: string): ExecRecord {
    this.#forgetOld();
    return this.#entry(reference).record;
  }

  of(container: ContainerID): ExecRecord[] {
    this.#forgetOld();
    return [...this.#byContainer.get(container)].flatMap((id) => this.#entries.get(id)?.record ?? []);
  }

  /** A record whose container is gone already is forgotten: that is no error. */
  save(record: ExecRecord): void {
    const entry = this.#entries.get(record.ID);
    if (entry === undefined) return;
    entry.record = record;
    if (record.State.status !== 'exited') return;
    entry.process = null;
    wake(entry);
    if (!this.#ended.has(record.ID)) this.#ended.set(record.ID, this.#clock());
  }

  /** Null before it runs and after it has ended. */
  process(id: ExecID): Process | null {
    return this.#entries.get(id)?.process ?? null;
  }

  running(id: ExecID, process: Process): void {
    const entry = this.#entry(id);
    if (entry.record.State.status !== 'exited') entry.process = process;
    wake(entry);
  }

  /** Its process, as soon as there is one; null when it has ended, or is forgotten. Fails with the signal's reason. */
  async begun(id: ExecID, signal: AbortSignal): Promise<Process | null> {
    signal.throwIfAborted();
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.process !== null || entry.record.State.status === 'exited') {
      return entry?.process ?? null;
    }
    return await new Promise((resolve, reject) => {
      const settle = () => {
        signal.removeEventListener('abort', leave);
        resolve(entry.process);
      };
      const leave = () => {
        entry.waiting.delete(settle);
        reject(signal.reason);
      };
      entry.waiting.add(settle);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Ended ones are kept for a while so that their code can be asked for, then forgotten; at once with their container. */
  removeAll(container: ContainerID): void {
    for (const id of [...this.#byContainer.get(container)]) this.#forget(id);
  }

  #entry(reference: string): Entry {
    const id = reference === '' ? null : this.#index.find(reference);
    const entry = id === null || id === 'several' ? undefined : this.#entries.get(id);
    if (entry === undefined) throw new NoSuchExec(reference);
    return entry;
  }

  #open(ids: ReadonlySet<ExecID>): number {
    let open = 0;
    for (const id of ids) if (!this.#ended.has(id)) open++;
    return open;
  }

  #forgetOld(): void {
    const horizon = this.#clock() - KEPT_MS;
    for (const [id, at] of this.#ended) {
      if (at > horizon && this.#ended.size <= MAX_ENDED) return;
      this.#forget(id);
    }
  }

  #forget(id: ExecID): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#index.remove(id);
    this.#ended.delete(id);
    this.#byContainer.delete(entry.record.ContainerID, id);
    wake(entry);
  }
}

function wake({ waiting }: Entry): void {
  for (const settle of waiting) settle();
  waiting.clear();
}
