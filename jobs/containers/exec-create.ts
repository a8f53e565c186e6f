/**
 * exec_create — notes a process to be started in a running container.
 *
 *   makes    an exec record, in memory
 *   emits    exec_create: COMMAND
 *   fails    InvalidParameter (no command, detach keys), NoSuchContainer, Conflict (not running, paused, restarting)
 *   source   Docker Engine API, ContainerExec; dockerd's daemon/exec.go
 */
import { InvalidParameter } from '../../api/errors.ts';
import { newExecID } from '../../api/ids.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { checkActive } from './active.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { emitContainerEvent } from './event.ts';
import { execCommand } from './exec-command.ts';

type Deps = Pick<Daemon, 'containers' | 'execs' | 'events'>;

export const execCreate =
  (deps: Deps): JobHandler<'exec_create'> =>
  async (job) => {
    const [reference] = job.args;
    const config = job.env;
    if ((config.Cmd ?? []).length === 0) throw new InvalidParameter('No exec command specified');
    const container = deps.containers.get(reference);
    checkActive(container, reference);
    if (parseDetachKeys(config.DetachKeys) === null) {
      throw new InvalidParameter(`Invalid escape keys (${config.DetachKeys}) provided`);
    }
    const id = newExecID();
    deps.execs.add({ ID: id, ContainerID: container.ID, Config: config, State: { status: 'created' } });
    emitContainerEvent(deps.events, container, `exec_create: ${execCommand(config)}`, { execID: id });
    return { Id: id };
  };
