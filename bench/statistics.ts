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
