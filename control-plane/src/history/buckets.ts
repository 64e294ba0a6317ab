/**
 * Histogram buckets on a fixed logarithmic scale, so that any two histograms can be added up. Bucket 0 holds values up to 1 (of the metric's
 * smallest unit); each later one reaches a fourth of a doubling further, so a quantile is right within 10 %.
 */
const PER_DOUBLING = 4;

export function bucketOf(value: number): number {
  return value <= 1 ? 0 : Math.ceil(Math.log2(value) * PER_DOUBLING - 1e-9);
}

/** The largest value that it holds. */
export function upperBound(bucket: number): number {
  return 2 ** (bucket / PER_DOUBLING);
}

/** Undefined: nothing was counted. Within a bucket values are taken to lie evenly. */
export function quantile(buckets: ReadonlyMap<number, number>, q: number): number | undefined {
  let total = 0;
  for (const count of buckets.values()) total += count;
  if (total === 0) return undefined;
  const wanted = q * total;
  let seen = 0;
  for (const bucket of [...buckets.keys()].sort((a, b) => a - b)) {
    const count = buckets.get(bucket) ?? 0;
    if (seen + count >= wanted) {
      const low = bucket === 0 ? 0 : upperBound(bucket - 1);
      return low + (upperBound(bucket) - low) * Math.max(0, (wanted - seen) / count);
    }
    seen += count;
  }
  return undefined;
}
