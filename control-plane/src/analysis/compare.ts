/** Two shares against each other, as most metrics do it: more bad ones than chance explains, and more than is tolerated. */
import type { MetricInput, Reading } from './metric.ts';
import { worseProportion, worseThanRate, type Proportion } from './statistics.ts';

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;

function told({ bad, all }: Proportion): string {
  return all === 0 ? 'none' : `${bad} of ${all} (${percent(bad / all)})`;
}

export interface Comparison {
  /** What was counted: `attempts to connect`. */
  readonly what: string;
  readonly canary: Proportion;
  readonly stable: Proportion;
  /** Worse than the old version by no more than this share is no matter; with no old one to compare with, this is the allowed rate. */
  readonly tolerance: number;
}

export function compare({ what, canary, stable, tolerance }: Comparison, input: MetricInput): Reading {
  const figures = `${told(canary)} ${what} failed on version ${input.canary.version}, ${told(stable)} on version ${input.stable.version}`;
  const compared = stable.all > 0 && stable.all >= input.minSample;
  const chance = compared ? worseProportion(canary, stable) : worseThanRate(canary, tolerance);
  const excess = canary.all === 0 ? 0 : canary.bad / canary.all - (compared ? stable.bad / stable.all : 0);
  // So clear a difference needs no full sample.
  if (chance < input.falseAlarm && excess > tolerance)
    return { verdict: 'fail', message: `${figures}; chance alone gives that with p = ${chance.toExponential(1)}` };
  if (canary.all < input.minSample)
    return { verdict: 'waiting', message: `${figures}; ${input.minSample} are needed for a verdict` };
  return { verdict: 'pass', message: figures };
}
