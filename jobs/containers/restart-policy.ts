/** (pure) When a container that has ended runs again, and how soon (moby, restartmanager/restartmanager.go). */
import type { ContainerRecord, Ended } from '../../state/container-record.ts';
import { fromRFC3339 } from '../../std/timestamp.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;
/** Whoever ran this long is well: the delay begins anew. */
const WELL_NS = 10_000_000_000n;

/** While the daemon runs: what the user stopped rests. */
export function isToRestart(
  { HostConfig, HasBeenManuallyStopped, RestartCount }: ContainerRecord,
  exitCode: number,
): boolean {
  if (HasBeenManuallyStopped) return false;
  const { Name, MaximumRetryCount: most } = HostConfig.RestartPolicy;
  if (Name === 'on-failure') return exitCode !== 0 && (most === 0 || RestartCount < most);
  return Name === 'always' || Name === 'unless-stopped';
}

/** When the daemon starts: `always` means it, also for what the user stopped. */
export function isToStartWithDaemon(container: ContainerRecord, exitCode: number): boolean {
  if (container.HostConfig.RestartPolicy.Name === 'always') return true;
  return isToRestart(container, exitCode);
}

/** Milliseconds until the next start; `before` is the delay that the last one had, null for none. */
export function nextDelay({ startedAt, finishedAt }: Ended, before: number | null): number {
  const ranFor = (fromRFC3339(finishedAt) ?? 0n) - (fromRFC3339(startedAt) ?? 0n);
  if (before === null || ranFor >= WELL_NS) return FIRST_DELAY_MS;
  return Math.min(before * 2, MAX_DELAY_MS);
}
