/**
 * The tests by which a version is called worse, or good enough: one-sided and exact, so they hold for small samples; many looks at growing
 * data are paid for by `alphaOf`. Source: R. A. Fisher, "Statistical Methods for Research Workers" (exact test).
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

/** The chance of no more than `bad` of `all` where each is bad with the chance `rate`. */
export function fewerThanRate({ bad, all }: Proportion, rate: number): number {
  if (bad >= all) return 1;
  if (rate >= 1) return 0;
  return 1 - worseThanRate({ bad: bad + 1, all }, rate);
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

/** How many took longer; a bucket that the limit lies in counts as within it. */
export function slowerThan(histogram: Histogram, limitMs: number): Proportion {
  const slow = histogram.filter(({ upToMs }, index) => (histogram[index - 1]?.upToMs ?? upToMs - 1) >= limitMs);
  return { bad: sizeOf(slow), all: sizeOf(histogram) };
}

/**
 * What the `look`-th look (from 1) at one of `checks` metrics may spend of the chance of a false alarm: all looks together spend at most
 * `total`, however many there are, since the sum of 1/k² is π²/6.
 */
export function alphaOf(total: number, checks: number, look: number): number {
  return (total / checks) * (6 / (Math.PI * look) ** 2);
}
