/** Median and 95th percentile of a list of times in ms. */
export interface Spread {
  readonly median: number;
  readonly p95: number;
}

export function spread(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), p95: at(0.95) };
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
