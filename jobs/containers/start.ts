/**
 * start — run a container's process.
 *
 * locks   container
 * makes   a process under its monitor, and with it namespaces, cgroups, mounts of its own
 * emits   volume mount; network connect; container start
 * fails   NoSuchContainer · Conflict (paused, being removed) · CommandNotFound · CommandNotExecutable · InvalidParameter ·
 *         OperationFailed
 * source  Docker Engine API, POST /containers/{id}/start; the locks of Docker's daemon/start.go
 */
import { Conflict } from '../../api/errors.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { JobHandler } from '../daemon.ts';
import { type LaunchDeps, launch } from './launch.ts';

export const start =
  (deps: LaunchDeps): JobHandler<'start'> =>
  async (job) => {
    const { containers, supervisor } = deps;
    const { ID: id } = containers.get(job.args[0]);
    await using _turn = await containers.lock.acquire(id, job.signal);
    const container = containers.get(id);

    switch (container.State.status) {
      case 'created':
      case 'exited':
        break;
      case 'running':
      case 'restarting':
        return 'already running';
      case 'paused':
        throw new Conflict('cannot start a paused container, try unpause instead');
      case 'removing':
      case 'dead':
        throw new Conflict('container is marked for removal and cannot be started');
      default:
        return unreachable(container.State);
    }

    supervisor.resetDelay(id);
    await launch({ ...container, RestartCount: 0, HasBeenManuallyStopped: false }, deps);
    return 'started';
  };
