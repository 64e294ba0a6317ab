/** What is asked of history, and what it answers. */
import type { LabelName, Labels } from './metrics.ts';

export interface HistoryQuery {
  readonly metrics: readonly string[];
  /** What to tell apart; empty: all as one. */
  readonly by: readonly LabelName[];
  /** For each label named, only these values. */
  readonly where: Readonly<Partial<Record<LabelName, readonly string[]>>>;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Undefined: such that there are at most `AUTO_POINTS`. */
  readonly stepMs?: number | undefined;
  /** Undefined: those of the metric's kind. */
  readonly stats?: readonly string[] | undefined;
  /** At most this many series for each metric and statistic, those with the largest values. */
  readonly limit: number;
}

export interface Points {
  readonly metric: string;
  readonly unit: string;
  readonly stat: string;
  readonly labels: Labels;
  /** One for each step; null: nothing was recorded then, or there is nothing to tell (a quantile of no values). */
  readonly values: readonly (number | null)[];
}

export interface Distribution {
  readonly metric: string;
  readonly unit: string;
  readonly labels: Labels;
  readonly count: number;
  /** How many values were at most `le`, and above the bucket before. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
}

export interface HistoryAnswer {
  /** Start of the first step. */
  readonly from: string;
  /** End of the last step. */
  readonly to: string;
  readonly stepSeconds: number;
  readonly series: readonly Points[];
  /** For the statistic `distribution`: over the whole time. */
  readonly distributions: readonly Distribution[];
  /** When nothing was recorded. */
  readonly gaps: readonly { readonly from: string; readonly to: string }[];
  /** How many series were left out; narrow the query to see them. */
  readonly truncated: number;
}
