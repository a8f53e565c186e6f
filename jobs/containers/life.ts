/** (pure) Questions about where a container is in its life. */
import type { ContainerRecord, ContainerState, Ended } from '../../state/container-record.ts';
import { NEVER } from '../../std/timestamp.ts';
import { unreachable } from '../../std/unreachable.ts';

export type Alive = Extract<ContainerState, { status: 'running' | 'paused' }>;

/** It has a process. */
export function isAlive(state: ContainerState): state is Alive {
  return state.status === 'running' || state.status === 'paused';
}

/** It has a process, or waits to have its next: to clients both run. */
export function isUp(state: ContainerState): boolean {
  return isAlive(state) || state.status === 'restarting';
}

/** How it stands, in the words of inspect: what a state does not have is as Docker prints it. */
export interface Outcome extends Ended {
  readonly pid: number;
}

export function outcomeOf(state: ContainerState): Outcome {
  const none = { pid: 0, exitCode: 0, oomKilled: false, startedAt: NEVER, finishedAt: NEVER, error: '' };
  switch (state.status) {
    case 'created':
      return { ...none, exitCode: state.exitCode, error: state.error };
    case 'running':
    case 'paused':
      return { ...none, pid: state.pid, startedAt: state.startedAt, finishedAt: state.lastFinishedAt };
    case 'restarting':
    case 'exited':
      return { ...none, ...state };
    case 'removing':
      return outcomeOf(state.before);
    case 'dead':
      return { ...outcomeOf(state.before), error: state.error };
    default:
      return unreachable(state);
  }
}

/** The state that a removal found. One that is begun anew finds what the first did, not the first. */
export function stateBeforeRemoval(state: ContainerState): ContainerState {
  return state.status === 'removing' || state.status === 'dead' ? stateBeforeRemoval(state.before) : state;
}

/** With a process, of now or taken over from a former daemon. */
export function withProcess(
  container: ContainerRecord,
  { pid, startedAt }: { readonly pid: number; readonly startedAt: string },
  status: Alive['status'] = 'running',
): ContainerRecord {
  const { finishedAt } = outcomeOf(container.State);
  return { ...container, State: { status, pid, startedAt, lastFinishedAt: finishedAt } };
}

/** A start that failed: one that never ran stays `created`, as Docker has it. */
export function withFailedStart(container: ContainerRecord, exitCode: number, error: string): ContainerRecord {
  const before = outcomeOf(container.State);
  if (before.startedAt === NEVER) return { ...container, State: { status: 'created', exitCode, error } };
  const { startedAt, finishedAt } = before;
  return { ...container, State: { status: 'exited', exitCode, error, oomKilled: false, startedAt, finishedAt } };
}
