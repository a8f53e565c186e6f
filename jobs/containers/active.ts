import { Conflict, NotRunning } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import type { ContainerRecord } from '../../state/container-record.ts';

/** The state in which a process of the container can be started or looked at. Fails with Conflict in Docker's words. */
export function checkRunning({ ID, State }: ContainerRecord): void {
  if (State.status === 'restarting') throw new IsRestarting(ID);
  if (State.status !== 'running' && State.status !== 'paused') throw new NotRunning(ID);
}

/** As `checkRunning`; a paused container cannot start a process either. `reference` is what the user calls it. */
export function checkActive(record: ContainerRecord, reference: string): void {
  checkRunning(record);
  if (record.State.status === 'paused') {
    throw new Conflict(`Container ${reference} is paused, unpause the container before exec`);
  }
}

class IsRestarting extends Conflict {
  constructor(id: ContainerID) {
    super(`Container ${id} is restarting, wait until the container is running`);
  }
}
