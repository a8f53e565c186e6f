/**
 * The start of a container's process, as `start`, `restart` and the restart policy do it. The caller holds the
 * container's lock.
 */

import createDebug from 'debug';
import { EngineError } from '../../api/errors.ts';
import { SIGKILL } from '../../api/signals.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import { messageOf } from '../../std/thrown.ts';
import { Undo } from '../../std/undo.ts';
import type { Daemon } from '../daemon.ts';
import type { TakenAttachments } from './attachments.ts';
import { makeBindSources } from './bind-sources.ts';
import { emitContainerEvent } from './event.ts';
import { withFailedStart, withProcess } from './life.ts';
import { emitNetworkEvent } from './network-event.ts';
import { writeNetworkFiles } from './network-files.ts';
import { type RemoveDeps, removeContainer } from './remove-container.ts';
import { leaveNetwork, type RunRequestDeps, runRequestFor } from './run-request.ts';
import { emitVolumeUse } from './volume-event.ts';

const debug = createDebug('gantry:jobs:launch');
const warn = createDebug('gantry:warn:launch');
/** The exit code of what could not be started, for other reasons than its command (126, 127): as Docker has it. */
const START_FAILED = 128;

export type LaunchDeps = RunRequestDeps & RemoveDeps & Pick<Daemon, 'attachments' | 'departed' | 'exec' | 'supervisor'>;

/**
 * Runs what `container` says and records it. When that fails nothing of it runs, the record says why, and a container
 * that is to be removed when it ends is removed.
 */
export async function launch(container: ContainerRecord, deps: LaunchDeps): Promise<ContainerRecord> {
  const taken = deps.attachments.take(container.ID);
  try {
    return await run(container, taken, deps);
  } catch (error) {
    taken.abandon();
    await recordFailure(container, error, deps).catch((cause) => warn('start of %s: %O', container.ID, cause));
    throw error;
  }
}

async function run(container: ContainerRecord, taken: TakenAttachments, deps: LaunchDeps): Promise<ContainerRecord> {
  const { containers, events, exec, supervisor } = deps;
  const { ID: id } = container;
  await using undo = new Undo();
  await supervisor.tornDown(id);
  // As in dockerd: told before anything can fail, and taken back when it does.
  emitNetworkEvent(deps, container, 'connect');
  undo.defer(`take ${id} off its network`, async () => {
    await leaveNetwork(container, deps);
    emitNetworkEvent(deps, container, 'disconnect');
  });
  await makeBindSources(container);
  const files = writeNetworkFiles(container, containers.folder(id));
  const written = files.catch(() => {});
  undo.defer(`wait for the files of ${id}, which may be removed now`, () => written);
  const process = await exec.run(await runRequestFor(container, taken, deps), files);
  undo.defer(`end the process of ${id}`, async () => {
    process.signal(SIGKILL);
    await process.exited;
    await exec.forget(id);
  });
  const running = withProcess(container, process);
  await containers.save(running, durabilityOf(running));
  undo.keep();
  supervisor.adopt(id, process);
  for (const warning of process.warnings) warn('%s: %s', id, warning);
  emitVolumeUse(deps, running, 'mount');
  emitContainerEvent(events, running, 'start');
  debug('%s is running as %d', id, process.pid);
  return running;
}

/**
 * That a container runs, a daemon that comes back learns from its monitor, and the supervisor brings it onto the disk
 * when it has lived for a moment. After a power cut there is no monitor: then a record matters that says "start this
 * again".
 */
function durabilityOf({ HostConfig: { RestartPolicy } }: ContainerRecord): 'synced' | 'memory' {
  return RestartPolicy.Name === 'no' || RestartPolicy.Name === '' ? 'memory' : 'synced';
}

async function recordFailure(container: ContainerRecord, error: unknown, deps: LaunchDeps): Promise<void> {
  const status = error instanceof EngineError ? error.exitStatus : 1;
  const message = messageOf(error);
  const failed = withFailedStart(container, status === 126 || status === 127 ? status : START_FAILED, message);
  await deps.containers.save(failed, 'written');
  if (container.HostConfig.AutoRemove) await removeContainer(failed, { volumes: true }, deps);
}
