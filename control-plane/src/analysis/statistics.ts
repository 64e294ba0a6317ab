/**
 * The tests by which a version is called worse. Both are one-sided and exact enough for small samples; many looks at growing data are paid
 * for by `alphaOf`. Sources: R. A. Fisher, "Statistical Methods for Research Workers" (exact test); H. B. Mann and D. R. Whitney, 1947.
 */

/** ln n!, exact to rounding up to a table's length, by Stirling's series beyond it. */
const TABLE: number[] = [0];
for (let n = 1; n <= 1_000; n += 1) TABLE.push((TABLE[n - 1] ?? 0) + Math.log(n));

function logFactorial(n: number): number {
  const known = TABLE[n];
  if (known !== undefined) return known;
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n) - 1 / (360 * n ** 3);
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

export interface Proportion {
  /** How many of `all` were bad. */
  readonly bad: number;
  readonly all: number;
}

/**
 * Fisher's exact test: the chance that `a` would show this many bad ones or more if both had the same rate. 1: no sign at all. Ints;
 * sums at most `a.bad` terms of the tail.
 */
export function worseProportion(a: Proportion, b: Proportion): number {
  const bad = a.bad + b.bad;
  const all = a.all + b.all;
  if (a.all === 0 || b.all === 0 || bad === 0) return 1;
  const most = Math.min(bad, a.all);
  const whole = logChoose(all, bad);
  let chance = 0;
  for (let k = a.bad; k <= most; k += 1) chance += Math.exp(logChoose(a.all, k) + logChoose(b.all, bad - k) - whole);
  return Math.min(1, chance);
}

/** The chance of `bad` or more of `all` where each is bad with the chance `rate`: against a fixed rate, where there is nothing to compare with. */
export function worseThanRate({ bad, all }: Proportion, rate: number): number {
  if (bad === 0 || all === 0) return 1;
  if (rate <= 0) return 0;
  let chance = 0;
  for (let k = bad; k <= all; k += 1)
    chance += Math.exp(logChoose(all, k) + k * Math.log(rate) + (all - k) * Math.log1p(-rate));
  return Math.min(1, chance);
}

export type Histogram = readonly { readonly upToMs: number; readonly count: number }[];

const sizeOf = (histogram: Histogram): number => histogram.reduce((sum, { count }) => sum + count, 0);

/** Upper end of the bucket in which the quantile lies; undefined: empty. */
export function quantile(histogram: Histogram, share: number): number | undefined {
  const size = sizeOf(histogram);
  let seen = 0;
  for (const { upToMs, count } of histogram) {
    seen += count;
    if (size > 0 && seen >= share * size) return upToMs;
  }
  return undefined;
}

/** Abramowitz and Stegun 7.1.26 by way of the normal distribution's upper tail; error below 1e-7. */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}

/** Mann-Whitney: the chance that `a` would be this much slower than `b` if both were alike; normal approximation with ties. 1: no sign at all. */
export function slower(a: Histogram, b: Histogram): number {
  const [na, nb] = [sizeOf(a), sizeOf(b)];
  if (na === 0 || nb === 0) return 1;
  const countsOf = (histogram: Histogram): Map<number, number> =>
    new Map(histogram.map((one) => [one.upToMs, one.count]));
  const [ca, cb] = [countsOf(a), countsOf(b)];
  let u = 0;
  let below = 0;
  let ties = 0;
  for (const bucket of [...new Set([...ca.keys(), ...cb.keys()])].sort((x, y) => x - y)) {
    const [inA, inB] = [ca.get(bucket) ?? 0, cb.get(bucket) ?? 0];
    u += inA * (below + inB / 2);
    below += inB;
    ties += (inA + inB) ** 3 - (inA + inB);
  }
  const n = na + nb;
  const variance = ((na * nb) / 12) * (n + 1 - ties / (n * (n - 1)));
  if (variance <= 0) return 1;
  return upperTail((u - (na * nb) / 2) / Math.sqrt(variance));
}

/**
 * What the `look`-th look (from 1) at one of `checks` metrics may spend of the chance of a false alarm: all looks together spend at most
 * `total`, however many there are, since the sum of 1/k² is π²/6.
 */
export function alphaOf(total: number, checks: number, look: number): number {
  return (total / checks) * (6 / (Math.PI * look) ** 2);
}
