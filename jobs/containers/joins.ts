/** Namespaces of other containers that a container is to join: looked up anew at every start. */

import { Conflict, NoSuchContainer } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon } from '../daemon.ts';
import { isAlive } from './life.ts';
import type { Joins } from './spec.ts';

export interface Joined {
  readonly joins: Joins;
  /** The container whose network is shared, null for none. */
  readonly network: ContainerID | null;
}

/** Fails with NoSuchContainer or Conflict. */
export function joinsOf({ HostConfig: wishes }: ContainerRecord, { containers }: Pick<Daemon, 'containers'>): Joined {
  const other = (mode: string): ContainerRecord | null => {
    if (!mode.startsWith('container:')) return null;
    const id = mode.slice('container:'.length);
    const found = containers.find(id);
    if (found === null) throw new NoSuchContainer(id);
    return found;
  };
  const network = other(wishes.NetworkMode);
  const pid = other(wishes.PidMode);
  if (network !== null && !isAlive(network.State)) {
    throw new Conflict(`cannot join network of a non running container: ${network.ID}`);
  }
  return {
    joins: {
      ...(network === null ? {} : { network: namespaceOf(network, 'net') }),
      ...(pid === null ? {} : { pid: namespaceOf(pid, 'pid') }),
    },
    network: network?.ID ?? null,
  };
}

function namespaceOf({ ID, State }: ContainerRecord, name: string): string {
  if (!isAlive(State)) throw new Conflict(`container ${ID} is not running`);
  return `/proc/${State.pid}/ns/${name}`;
}
