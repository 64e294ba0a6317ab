/** When the open sessions of an instance or a version will have ended, from how long its service's sessions lasted lately. Pure. */

export interface Estimate {
  /** Milliseconds; null: can't be told. */
  readonly ms: number | null;
  readonly reason: string;
}

const FEWEST = 10;

/**
 * For each open session of age `a` the median of what was left to those that got older than `a`; the slowest of them counts.
 * Ages and durations in milliseconds.
 */
export function estimateEmpty(ages: readonly number[], durations: readonly number[]): Estimate {
  if (ages.length === 0) return { ms: 0, reason: 'no session is open' };
  if (durations.length < FEWEST)
    return { ms: null, reason: `only ${durations.length} sessions have ended lately: too few to tell` };
  const sorted = [...durations].sort((a, b) => a - b);
  let slowest = 0;
  for (const age of ages) {
    const first = firstAbove(sorted, age);
    const median = sorted[first + Math.floor((sorted.length - first) / 2)];
    if (median === undefined)
      return { ms: null, reason: 'a session is older than any that ended lately: it may go on for long' };
    slowest = Math.max(slowest, median - age);
  }
  return { ms: Math.round(slowest), reason: `by the lengths of ${durations.length} sessions that ended lately` };
}

/** The place of the first value above `limit`; the length where there is none. */
function firstAbove(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
