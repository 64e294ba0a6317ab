/** Samples of the last while, and what they say together. */
import type { ScaleSample } from '../model/autoscale.ts';

export interface Windows {
  add(sample: ScaleSample): void;
  /** Mean of what is known over the last `ms`; undefined: nothing is. */
  mean(of: (sample: ScaleSample) => number | undefined, ms: number): number | undefined;
  /** Of the newest sample; undefined: it is not known there. */
  newest(of: (sample: ScaleSample) => number | undefined): number | undefined;
  /** True if there are samples that reach back so far. */
  covers(ms: number): boolean;
  /** Since when `is` has held without a break; undefined: it does not hold now. */
  since(is: (sample: ScaleSample) => boolean): number | undefined;
}

export function createWindows(longestMs: number): Windows {
  let samples: ScaleSample[] = [];
  const newestAt = (): number => samples.at(-1)?.at ?? 0;
  return {
    add(sample) {
      // A clock that was set back would make the order wrong: what came before is forgotten.
      if (sample.at < newestAt()) samples = [];
      samples.push(sample);
      const limit = sample.at - longestMs;
      const first = samples.findIndex(({ at }) => at >= limit);
      if (first > 64) samples = samples.slice(first);
    },
    mean(of, ms) {
      const limit = newestAt() - ms;
      let sum = 0;
      let count = 0;
      for (let index = samples.length - 1; index >= 0; index -= 1) {
        const sample = samples[index];
        if (sample === undefined || sample.at <= limit) break;
        const value = of(sample);
        if (value === undefined) continue;
        sum += value;
        count += 1;
      }
      return count === 0 ? undefined : sum / count;
    },
    newest(of) {
      const sample = samples.at(-1);
      return sample === undefined ? undefined : of(sample);
    },
    covers: (ms) => (samples[0]?.at ?? Number.POSITIVE_INFINITY) <= newestAt() - ms,
    since(is) {
      let found: number | undefined;
      for (let index = samples.length - 1; index >= 0; index -= 1) {
        const sample = samples[index];
        if (sample === undefined || !is(sample)) break;
        found = sample.at;
      }
      return found;
    },
  };
}
