/** (pure) How a container stands, in the words of `docker ps` and of inspect (moby, container/state.go). */
import type { ContainerState } from '../../state/container-record.ts';
import { humanDuration } from '../../std/human-duration.ts';
import { fromRFC3339, type Nanos } from '../../std/timestamp.ts';
import { unreachable } from '../../std/unreachable.ts';
import { isUp, outcomeOf } from './life.ts';

/** `Up 3 minutes`, `Exited (0) 2 seconds ago`, … */
export function statusText(state: ContainerState, now: Nanos): string {
  const ago = (instant: string) => humanDuration(Number((now - (fromRFC3339(instant) ?? now)) / 1_000_000n));
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${ago(state.startedAt)}`;
    case 'paused':
      return `Up ${ago(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${ago(state.finishedAt)} ago`;
    case 'exited':
      return `Exited (${state.exitCode}) ${ago(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    default:
      return unreachable(state);
  }
}

/** `State` of inspect. */
export function inspectState(state: ContainerState) {
  const { pid, exitCode, error, oomKilled, startedAt, finishedAt } = outcomeOf(state);
  return {
    Status: state.status,
    Running: isUp(state),
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: oomKilled,
    Dead: state.status === 'dead',
    Pid: pid,
    ExitCode: exitCode,
    Error: error,
    StartedAt: startedAt,
    FinishedAt: finishedAt,
  };
}
