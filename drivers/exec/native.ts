/**
 * The exec driver of our own: compiles a container to a kernel program and hands it to a monitor, which runs it, holds the
 * container's stdio and log, and outlives this daemon.
 */

import { channel } from 'node:diagnostics_channel';
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import createDebug from 'debug';
import { Conflict, NotRunning, OperationFailed } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import type { OciSpec } from '../../api/oci.ts';
import { CHANNEL, type DriverCall } from '../../api/trace.ts';
import { hasErrno } from '../../std/errno.ts';
import { messageOf } from '../../std/thrown.ts';
import { cgroupPids, freezeCgroup, removeCgroups } from '../libcontainer/cgroup-control.ts';
import { type CgroupLayout, hierarchyOf, readCgroupLayout } from '../libcontainer/cgroup-layout.ts';
import { containerProgram, type Machine } from '../libcontainer/container-program.ts';
import { execProgram } from '../libcontainer/exec-program.ts';
import { GantryInit } from '../libcontainer/gantry-init.ts';
import type { Operation } from '../libcontainer/program.ts';
import { SeccompCache } from '../libcontainer/seccomp-cache.ts';
import { adoptContainers, adoptExecs } from './adopt.ts';
import type { Adopted, ExecDriver, ExecRequest, Process, RunRequest } from './driver.ts';
import { type ContainerMeta, ExecRoot, readContainerMeta, removeFolder } from './exec-root.ts';
import { warningOf } from './failure.ts';
import { type Launched, launch, stdioOptions } from './launch.ts';
import { instant, MonitoredProcess } from './monitored-process.ts';
import { openInit } from './open-init.ts';

const debug = createDebug('gantry:exec:native');
const warn = createDebug('gantry:warn:exec');
const calls = channel(CHANNEL.driver);
/** How long the news of an exit may take when an exec has already met with it. */
const NEWS_MS = 200;

interface Running {
  readonly process: MonitoredProcess;
  /** As in its folder, for what is executed in it. */
  readonly meta: ContainerMeta;
}

export class NativeExecDriver implements ExecDriver {
  readonly name = 'native';
  readonly #root: ExecRoot;
  readonly #init: GantryInit;
  readonly #machine: Machine;
  readonly #filters = new SeccompCache();
  /** Containers that run, as far as this daemon knows. */
  readonly #running = new Map<ContainerID, Running>();

  private constructor(root: ExecRoot, init: GantryInit, machine: Machine) {
    this.#root = root;
    this.#init = init;
    this.#machine = machine;
  }

  /**
   * Makes the exec-root and loads gantry-init. Fails with InvalidParameter for a path that is too long.
   * `machine` is what the running one is found to be, unless said otherwise.
   */
  static async open(execRoot: string, machine?: Machine): Promise<NativeExecDriver> {
    const root = await ExecRoot.open(execRoot);
    return new NativeExecDriver(root, await GantryInit.load(), machine ?? (await readMachine()));
  }

  run(request: RunRequest, ready?: Promise<void>): Promise<Process> {
    return this.#traced('run', request.id, () => this.#run(request, ready));
  }

  exec(request: ExecRequest): Promise<Process> {
    return this.#traced('exec', request.id, () => this.#exec(request));
  }

  async program(request: RunRequest): Promise<readonly Operation[]> {
    return this.#compile(request, this.#filterOf(request.spec));
  }

  async adopt(): Promise<Adopted[]> {
    const containers = await adoptContainers(this.#root, this.#machine.cgroups);
    for (const { meta, process } of containers) if (process !== null) this.#keep(meta, process);
    return [...containers.map(({ adopted }) => adopted), ...(await adoptExecs(this.#root))];
  }

  forget(id: ContainerID): Promise<void> {
    return this.#traced('forget', id, async () => {
      const folder = this.#root.container(id);
      const meta = await this.#metaOf(id);
      if (meta !== null) await removeCgroups(this.#machine.cgroups, meta.cgroupsPath);
      // Whatever still ran is killed by now; its monitor has the last word in the folder.
      await this.#running.get(id)?.process.exited;
      await removeFolder(folder);
    });
  }

  async freeze(id: ContainerID, frozen: boolean): Promise<void> {
    const path = await this.#cgroupsPath(id);
    await this.#traced('freeze', id, () => freezeCgroup(this.#machine.cgroups, path, frozen));
  }

  async pids(id: ContainerID): Promise<number[]> {
    return cgroupPids(this.#machine.cgroups, await this.#cgroupsPath(id));
  }

  /** Lets go of all monitors, and of gantry-init. What runs goes on. */
  [Symbol.dispose](): void {
    for (const { process } of this.#running.values()) process.release();
    this.#running.clear();
    this.#init[Symbol.dispose]();
  }

  async #run(request: RunRequest, ready: Promise<void> | undefined): Promise<Process> {
    const { id, spec, stdio, log } = request;
    if (this.#running.has(id)) throw new Conflict(`container ${id} is running`);
    const { cgroupsPath } = spec.linux;
    const filter = this.#filterOf(spec);
    const program = this.#compile(request, filter);
    const meta = { id, tty: stdio.tty, cgroupsPath, filter };
    const folder = await this.#makeFolder(meta);
    try {
      const options = {
        ...stdioOptions(stdio),
        log: log.format,
        log_path: log.path,
        max_size: log.maxSize,
        max_file: log.maxFile,
        oom: oomFile(this.#machine.cgroups, cgroupsPath),
      };
      await ready;
      const launched = await launch(this.#init, { verb: 'run', folder, program, stdio, options, pidfd: null });
      return this.#keep(meta, monitored(id, folder, program, launched));
    } catch (error) {
      await this.forget(id).catch((left) => warn('cannot clean up after %s: %O', id, left));
      throw error;
    }
  }

  async #exec(request: ExecRequest): Promise<Process> {
    const { id, container, process, stdio } = request;
    const running = this.#running.get(container);
    if (running === undefined) throw new NotRunning(container);
    const { meta, process: init } = running;
    using opened = await openInit(init.pid, meta.cgroupsPath, container);
    const program = execProgram(
      {
        container,
        cgroupsPath: meta.cgroupsPath,
        unifiedPath: opened.unifiedPath,
        process,
        user: request.user,
        consoleSize: stdio.consoleSize,
        filter: meta.filter,
      },
      this.#machine,
    );
    const folder = await this.#root.makeExec({ id, container, tty: stdio.tty });
    try {
      const options = { ...stdioOptions(stdio), log: 'none' };
      const launched = await launch(this.#init, { verb: 'exec', folder, program, stdio, options, pidfd: opened.fd });
      const begun = monitored(id, folder, program, launched);
      void begun.exited.then(() => removeFolder(folder)).catch((left) => warn('cannot remove %s: %O', folder, left));
      return begun;
    } catch (error) {
      await removeFolder(folder).catch((left) => warn('cannot remove %s: %O', folder, left));
      if (await isGone(init, error)) throw new NotRunning(container);
      throw error;
    }
  }

  #compile({ id, spec, user, init, rootfs, network, stdio }: RunRequest, filter: Buffer | null): Operation[] {
    return containerProgram(
      { id, spec, user, init, rootfs, network, consoleSize: stdio.consoleSize, filter },
      this.#machine,
    );
  }

  #filterOf({ linux }: OciSpec): Buffer | null {
    return linux.seccomp === null ? null : this.#filters.filter(linux.seccomp);
  }

  /** What a former run left behind is taken away first. */
  async #makeFolder(meta: ContainerMeta): Promise<string> {
    try {
      return await this.#root.makeContainer(meta);
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
      await this.forget(meta.id);
      return this.#root.makeContainer(meta);
    }
  }

  #keep(meta: ContainerMeta, process: MonitoredProcess): MonitoredProcess {
    this.#running.set(meta.id, { meta, process });
    void process.exited.then(() => {
      if (this.#running.get(meta.id)?.process === process) this.#running.delete(meta.id);
    });
    return process;
  }

  /** Null for a container that is gone, or was never there. */
  async #metaOf(id: ContainerID): Promise<ContainerMeta | null> {
    return this.#running.get(id)?.meta ?? readContainerMeta(this.#root.container(id));
  }

  async #cgroupsPath(id: ContainerID): Promise<string> {
    const meta = await this.#metaOf(id);
    if (meta === null) throw new NotRunning(id);
    return meta.cgroupsPath;
  }

  async #traced<T>(call: string, id: string, work: () => Promise<T>): Promise<T> {
    const from = performance.now();
    let failure: string | null = null;
    try {
      return await work();
    } catch (error) {
      failure = messageOf(error);
      throw error;
    } finally {
      const ms = performance.now() - from;
      debug('%s %s: %s in %d ms', call, id, failure ?? 'done', ms);
      if (calls.hasSubscribers) {
        const at = performance.timeOrigin + from;
        const told = { driver: `exec/${this.name}`, method: call, at, ns: Math.round(ms * 1e6), error: failure };
        calls.publish({ kind: 'driver', ...told } satisfies DriverCall);
      }
    }
  }
}

/** The last is what fork(2) says in a pid namespace whose init is gone. */
const ENDING: ReadonlySet<string> = new Set(['ESRCH', 'ECHILD', 'ENOMEM']);

/** Whether an exec failed because its container has just ended, of which the news may still be on the way. */
async function isGone(init: MonitoredProcess, error: unknown): Promise<boolean> {
  if (!(error instanceof OperationFailed) || !ENDING.has(error.errno)) return false;
  return Promise.race([init.exited.then(() => true), sleep(NEWS_MS, false)]);
}

async function readMachine(): Promise<Machine> {
  const keyrings = await access('/proc/keys').then(
    () => true,
    () => false,
  );
  return { cgroups: await readCgroupLayout(), keyrings };
}

function monitored(id: string, folder: string, program: readonly Operation[], { monitor, started }: Launched) {
  const warnings = started.warnings.map((warning) => warningOf(program, warning));
  return new MonitoredProcess(folder, monitor, { id, pid: started.pid, startedAt: instant(started.at), warnings });
}

/** The file in which the kernel counts what it killed for want of memory. */
function oomFile(layout: CgroupLayout, path: string): string {
  const memory = hierarchyOf(layout, 'memory');
  if (memory !== null) return `${memory}${path}/memory.oom_control`;
  return layout.unified === null ? '' : `${layout.unified}${path}/memory.events`;
}
