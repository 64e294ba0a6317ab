/** What is asked of history, and what it answers. */
import { z } from 'zod';
import { Timestamp } from '../model/meta.ts';
import { LABELS, type LabelName } from './metrics.ts';

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

const Labels = z.partialRecord(z.enum(LABELS), z.string()).readonly();

const Points = z.strictObject({
  metric: z.string(),
  unit: z.string(),
  stat: z.string(),
  labels: Labels,
  values: z
    .array(z.number().nullable())
    .readonly()
    .describe(
      'One for each step; null: nothing was recorded then, or there is nothing to tell (a quantile of no values).',
    ),
});
export type Points = Readonly<z.infer<typeof Points>>;

const Distribution = z.strictObject({
  metric: z.string(),
  unit: z.string(),
  labels: Labels,
  count: z.number(),
  buckets: z
    .array(z.strictObject({ le: z.number(), count: z.number() }))
    .readonly()
    .describe('How many values were at most `le`, and above the bucket before.'),
});
export type Distribution = Readonly<z.infer<typeof Distribution>>;

export const HistoryAnswer = z.strictObject({
  from: Timestamp.describe('Start of the first step.'),
  to: Timestamp.describe('End of the last step.'),
  stepSeconds: z.number(),
  series: z.array(Points).readonly(),
  distributions: z.array(Distribution).readonly().describe('For the statistic `distribution`: over the whole time.'),
  gaps: z
    .array(z.strictObject({ from: Timestamp, to: Timestamp }))
    .readonly()
    .describe('When nothing was recorded.'),
  truncated: z.int().min(0).describe('How many series were left out; narrow the query to see them.'),
});
export type HistoryAnswer = Readonly<z.infer<typeof HistoryAnswer>>;
