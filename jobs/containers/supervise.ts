import createDebug from 'debug';
import type { ContainerID } from '../../api/ids.ts';
import { SIGKILL } from '../../api/signals.ts';
import type { Adopted, Exit, Process } from '../../drivers/exec/driver.ts';
import type { ContainerRecord, ContainerState, Ended } from '../../state/container-record.ts';
import { mapBounded } from '../../std/map-bounded.ts';
import { fromRFC3339, now, toRFC3339 } from '../../std/timestamp.ts';
import { emitContainerEvent } from './event.ts';
import { type LaunchDeps, launch } from './launch.ts';
import { isAlive, outcomeOf, withProcess } from './life.ts';
import { emitNetworkEvent } from './network-event.ts';
import { Remains } from './remains.ts';
import { removeContainer } from './remove-container.ts';
import { isToRestart, isToStartWithDaemon, nextDelay } from './restart-policy.ts';
import { leaveNetwork } from './run-request.ts';
import { emitVolumeUse } from './volume-event.ts';

const debug = createDebug('gantry:jobs:supervise');
const warn = createDebug('gantry:warn:supervise');
/** Starts at once when the daemon comes up. */
const STARTS_AT_ONCE = 4;
/** Many a container lives for less: what it was need not be on disk before what it has come to. */
const SYNC_DELAY_MS = 50;
/** The code of a process of which nobody knows how it ended: the machine went down. */
const UNKNOWN_EXIT = 255;

type Deps = Omit<LaunchDeps, 'supervisor'>;

/**
 * What goes on after the job that started a container has ended: its exit, its restart policy, its removal.
 *
 *   adopt ─▶ process.exited ─▶ record ─▶ oom, die ─▶ teardown behind
 *                                                 ├─ restart policy: restarting ─▶ delay ─▶ launch
 *                                                 └─ --rm: removed
 */
export class Supervisor {
  readonly #deps: LaunchDeps;
  /** Those that run. */
  readonly #processes = new Map<ContainerID, Process>();
  /** Resolve when the end is recorded and told. */
  readonly #settlements = new Map<ContainerID, Promise<void>>();
  readonly #remains = new Map<ContainerID, Remains>();
  readonly #delays = new Map<ContainerID, number>();
  readonly #timers = new Map<ContainerID, NodeJS.Timeout>();
  /** How many restarts of a container are under way. */
  readonly #kept = new Map<ContainerID, number>();
  #isStopped = false;

  constructor(deps: Deps) {
    this.#deps = { ...deps, supervisor: this };
  }

  /** From now on the process's exit is this supervisor's affair. */
  adopt(id: ContainerID, process: Process): void {
    const settlement = process.exited.then(async (exit) => {
      if (this.#processes.get(id) === process) this.#processes.delete(id);
      await this.#onExit(id, process, exit);
      if (this.#settlements.get(id) === settlement) this.#settlements.delete(id);
    });
    this.#processes.set(id, process);
    this.#settlements.set(id, settlement);
    setTimeout(() => void this.#syncRunning(id, process), SYNC_DELAY_MS).unref();
  }

  /** Null once it has ended. */
  process(id: ContainerID): Process | null {
    return this.#processes.get(id) ?? null;
  }

  /** Resolves when the process of this moment has ended and the record says so; at once when there is none. */
  settled(id: ContainerID): Promise<void> {
    return this.#settlements.get(id) ?? Promise.resolve();
  }

  /** Resolves when nothing is left of the last run, in the exec-root and in cgroups. Fails when that cannot be. */
  async tornDown(id: ContainerID): Promise<void> {
    await this.#remains.get(id)?.clear();
  }

  /** Until disposal the container's end is no reason to remove it or to start it again: `restart` will. */
  keep(id: ContainerID): Disposable {
    this.#kept.set(id, (this.#kept.get(id) ?? 0) + 1);
    const release = () => {
      const left = (this.#kept.get(id) ?? 1) - 1;
      if (left > 0) this.#kept.set(id, left);
      else this.#kept.delete(id);
    };
    return { [Symbol.dispose]: release };
  }

  /** The user starts it: its failures so far do not count any more. */
  resetDelay(id: ContainerID): void {
    this.#delays.delete(id);
  }

  /** Nothing waits to start this container any more. */
  forget(id: ContainerID): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#delays.delete(id);
  }

  /**
   * The daemon ends: no container is started again by this supervisor, and what has ended is on disk when this resolves.
   * Those that run go on with their monitors.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const id of [...this.#timers.keys()]) this.forget(id);
    await Promise.allSettled([...this.#remains.values()].map((remains) => remains.clear()));
  }

  /** Records that a container's process has ended. For one whose record knows already it only clears up. */
  async settle(id: ContainerID, exit: Exit): Promise<void> {
    await using _turn = await this.#deps.containers.lock.acquire(id);
    const container = this.#deps.containers.find(id);
    if (container === null || outcomeOf(container.State).finishedAt === exit.at) return this.#tearDown(id, container);
    // That it ran may not have come to the disk: then all that is known is that it has ended.
    const startedAt = isAlive(container.State) ? container.State.startedAt : exit.at;
    await this.#settleRecord(container, startedAt, exit);
  }

  /**
   * At start: takes over what the monitors hold, settles what ended while no daemon was there, and starts what the
   * restart policies want, behind this answer.
   */
  async restore(adopted: readonly Adopted[]): Promise<void> {
    for (const each of adopted) {
      if (each.kind !== 'container') continue;
      const { id, outcome } = each;
      await putRight(id, () => ('exit' in outcome ? this.settle(id, outcome.exit) : this.#takeOver(id, outcome)));
    }
    const isCaredFor = ({ ID }: ContainerRecord) => this.#processes.has(ID) || this.#timers.has(ID);
    const rest = this.#deps.containers.list().filter((container) => !isCaredFor(container));
    const wanted = this.#deps.containers.list().filter((container) => this.#isWanted(container));
    await mapBounded(rest, STARTS_AT_ONCE, (container) => putRight(container.ID, () => this.#restoreOne(container)));
    void mapBounded(wanted, STARTS_AT_ONCE, ({ ID }) => this.#startAgain(ID, 'exited'));
  }

  /** A container ended before this daemon began, and its policy says that it should run. */
  #isWanted(container: ContainerRecord): boolean {
    const { State } = container;
    return State.status === 'exited' && isToStartWithDaemon(container, State.exitCode);
  }

  /** Nothing is known of it but its record. */
  async #restoreOne(container: ContainerRecord): Promise<void> {
    const { ID: id, State, HostConfig } = container;
    const unknown = { code: UNKNOWN_EXIT, oomKilled: false, at: toRFC3339(now()) };
    if (isAlive(State)) return this.settle(id, unknown);
    if (State.status === 'restarting') return this.#schedule(id, State);
    const isLeft = State.status === 'removing' || State.status === 'dead';
    if (!isLeft && !(State.status === 'exited' && HostConfig.AutoRemove)) return;
    await using _turn = await this.#deps.containers.lock.acquire(id);
    const volumes = HostConfig.AutoRemove || (State.status === 'removing' && State.volumes);
    await removeContainer(container, { volumes }, this.#deps);
  }

  async #takeOver(id: ContainerID, { process, isFrozen }: { process: Process; isFrozen: boolean }): Promise<void> {
    const { containers, exec } = this.#deps;
    const container = containers.find(id);
    if (container === null) {
      warn('%s runs and has no record: it is ended', id);
      process.signal(SIGKILL);
      await process.exited;
      return exec.forget(id);
    }
    // What a former daemon did last it may not have written down: the process itself knows, and tells the next one too.
    const status = isFrozen ? 'paused' : 'running';
    const isKnown = isAlive(container.State) && container.State.pid === process.pid;
    if (!isKnown || container.State.status !== status) {
      const HasBeenManuallyStopped = isKnown && container.HasBeenManuallyStopped;
      await containers.save(withProcess({ ...container, HasBeenManuallyStopped }, process, status), 'memory');
    }
    this.adopt(id, process);
  }

  /** What has ended meanwhile is on its way to the disk already, or gone. */
  async #syncRunning(id: ContainerID, process: Process): Promise<void> {
    if (this.#processes.get(id) !== process) return;
    await this.#deps.containers.sync(id).catch((error: unknown) => warn('that %s runs is not on disk: %O', id, error));
  }

  async #onExit(id: ContainerID, process: Process, exit: Exit): Promise<void> {
    const { containers } = this.#deps;
    try {
      await using _turn = await containers.lock.acquire(id);
      const container = containers.find(id);
      if (container !== null) await this.#settleRecord(container, process.startedAt, exit);
    } catch (error) {
      warn('the end of %s could not be recorded: %O', id, error);
    }
  }

  /** Under the container's lock. */
  async #settleRecord(container: ContainerRecord, startedAt: string, exit: Exit): Promise<void> {
    const { containers, events } = this.#deps;
    const { ID: id, HostConfig } = container;
    const ended: Ended = { exitCode: exit.code, oomKilled: exit.oomKilled, startedAt, finishedAt: exit.at, error: '' };
    const isAgain = !this.#isStopped && !this.#kept.has(id) && isToRestart(container, exit.code);
    const State: ContainerState = { status: isAgain ? 'restarting' : 'exited', ...ended };
    const RestartCount = container.RestartCount + (isAgain ? 1 : 0);
    const after: ContainerRecord = { ...container, State, RestartCount };
    const isRemoved = HostConfig.AutoRemove && !this.#kept.has(id);
    await containers.save(after, 'memory');
    if (exit.oomKilled) emitContainerEvent(events, after, 'oom');
    emitContainerEvent(events, after, 'die', { exitCode: String(exit.code), execDuration: secondsOf(ended) });
    emitNetworkEvent(this.#deps, after, 'disconnect');
    emitVolumeUse(this.#deps, after, 'unmount');
    debug('%s has ended with %d', id, exit.code);
    this.#tearDown(id, container);
    if (isAgain) this.#schedule(id, ended);
    else if (isRemoved) {
      // Before it goes: there is no moment at which `wait` finds neither.
      this.#deps.departed.add(after, exit.code);
      await removeContainer(after, { volumes: true }, this.#deps);
    }
  }

  /**
   * Behind the answer: the disk is told of the end, and only then the monitor's own word of it may go; whoever is killed
   * in between learns it again. A container that is removed or started at once spares itself the first.
   */
  #tearDown(id: ContainerID, container: ContainerRecord | null): void {
    const { containers, exec } = this.#deps;
    const remains = new Remains(id, async () => {
      await containers.sync(id);
      await Promise.all([exec.forget(id), container === null ? null : leaveNetwork(container, this.#deps)]);
      if (this.#remains.get(id) === remains) this.#remains.delete(id);
    });
    this.#remains.set(id, remains);
  }

  #schedule(id: ContainerID, ended: Ended): void {
    const delay = nextDelay(ended, this.#delays.get(id) ?? null);
    this.#delays.set(id, delay);
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      void this.#startAgain(id, 'restarting');
    }, delay);
    this.#timers.set(id, timer.unref());
  }

  /** If it is still in the state in which it was when this was decided. */
  async #startAgain(id: ContainerID, status: 'restarting' | 'exited'): Promise<void> {
    const { containers } = this.#deps;
    try {
      await using _turn = await containers.lock.acquire(id);
      const container = containers.find(id);
      if (container === null || container.State.status !== status || this.#isStopped) return;
      await launch({ ...container, HasBeenManuallyStopped: false }, this.#deps);
    } catch (error) {
      warn('restart of %s failed: %O', id, error);
    }
  }
}

/** One container that cannot be put right is no reason for the daemon not to start. */
async function putRight(id: ContainerID, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    warn('%s could not be put right: %O', id, error);
  }
}

/** Whole seconds between start and end. */
function secondsOf({ startedAt, finishedAt }: Ended): string {
  const ranFor = (fromRFC3339(finishedAt) ?? 0n) - (fromRFC3339(startedAt) ?? 0n);
  return String(ranFor / 1_000_000_000n);
}
