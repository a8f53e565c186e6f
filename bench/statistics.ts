import { setTimeout as sleep } from 'node:timers/promises';

/** NaN of none. */
export function medianOf(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

/** Runs `step` a few times unmeasured, then `rounds` times, one after the other; ms of each. */
export async function timed(rounds: number, step: () => Promise<unknown>, warmup = 3): Promise<number[]> {
  for (let round = 0; round < warmup; round++) await step();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  return times;
}

/** Of one round: several of ours for one of theirs, which takes many times as long. */
const OURS_A_ROUND = 4;
/** What an engine clears up behind its answer is not to be paid by the other. */
const SETTLE_MS = 300;

/**
 * Medians in ms of `ours` and `theirs`, in turns: a machine that grows slower on the way does so for both. `theirs` null:
 * there is none.
 */
export async function medianInTurns(
  rounds: number,
  ours: () => Promise<unknown>,
  theirs: (() => Promise<unknown>) | null,
): Promise<{ readonly ours: number; readonly theirs: number | null }> {
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    times.ours.push(...(await timed(OURS_A_ROUND, ours, 1)));
    if (theirs === null) continue;
    await sleep(SETTLE_MS);
    times.theirs.push(...(await timed(1, theirs, round === 0 ? 1 : 0)));
    await sleep(SETTLE_MS);
  }
  return { ours: medianOf(times.ours), theirs: theirs === null ? null : medianOf(times.theirs) };
}
