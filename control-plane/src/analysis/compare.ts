/**
 * Two shares against each other, as most metrics do it. Fails with more bad ones than chance explains, and more than is tolerated; passes when
 * a version that is worse by `detect` would hardly have shown so few; between the two it waits for more (after A. Wald's sequential test, 1945).
 */
import type { MetricInput, Reading } from './metric.ts';
import { fewerThanRate, worseProportion, worseThanRate, type Proportion } from './statistics.ts';

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;

function told({ bad, all }: Proportion): string {
  return all === 0 ? '0 of 0' : `${bad} of ${all} (${percent(bad / all)})`;
}

export interface Comparison {
  /** What was counted as bad: `attempts to connect failed`. */
  readonly what: string;
  readonly canary: Proportion;
  readonly stable: Proportion;
  /** Worse than the old version by no more than this share is no matter. */
  readonly tolerance: number;
  /** The allowed rate while the old version has nothing to compare with, as when the new one gets all sessions; absent: any. */
  readonly alone?: number;
  /** Worse by this share must have had its chance to show before it passes; absent: the least sample will do. */
  readonly detect?: number;
}

/** How likely a version that is worse by `detect` may look like one that passes. */
const OVERLOOKED = 0.05;

export function compare({ what, canary, stable, tolerance, alone, detect }: Comparison, input: MetricInput): Reading {
  const figures = `${told(canary)} ${what} on version ${input.canary.version}, ${told(stable)} on version ${input.stable.version}`;
  const compared = stable.all > 0;
  const usual = compared ? stable.bad / stable.all : (alone ?? 1);
  const chance = compared ? worseProportion(canary, stable) : worseThanRate(canary, usual);
  // So clear a difference to the old version needs no full sample; a fixed rate, which trouble of all versions breaks too, does.
  const isClear = compared ? canary.bad / canary.all - usual > tolerance : canary.all >= input.minSample;
  if (chance < input.falseAlarm && isClear)
    return { verdict: 'fail', message: `${figures}; chance alone gives that with p = ${chance.toExponential(1)}` };
  if (canary.all < input.minSample)
    return { verdict: 'waiting', message: `${figures}; ${input.minSample} are needed for a verdict` };
  const worse = detect === undefined || usual === 1 ? undefined : usual + detect;
  const overlooked = worse === undefined ? 0 : fewerThanRate(canary, worse);
  if (worse !== undefined && overlooked > OVERLOOKED)
    return {
      verdict: 'waiting',
      message: `${figures}; at ${percent(worse)} it could look like that with p = ${overlooked.toFixed(2)}: more are needed`,
    };
  return { verdict: 'pass', message: figures };
}
