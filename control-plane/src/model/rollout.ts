/**
 * How a service goes from one version to another. The strategy is part of the service's spec; a Rollout is the record of one such change,
 * which the reconcile loop carries on step by step, also after a restart. Weights are shares of new sessions: open ones stay where they are.
 */
import { z } from 'zod';
import { Name, Timestamp } from './meta.ts';
import { Duration, PositiveDuration } from './units.ts';

/** A number of instances, or a share of those wanted: `2`, `25%`. */
export const Share = z.union([
  z.int().min(0).max(1000),
  z.string().regex(/^(100|[1-9]?\d)%$/, 'must be a whole number or a percentage such as 25%'),
]);
export type Share = z.infer<typeof Share>;

/** Instances that a share of `wanted` is, rounded up. */
export function shareOf(share: Share, wanted: number): number {
  return typeof share === 'number' ? share : Math.ceil((wanted * Number(share.slice(0, -1))) / 100);
}

/** One measurement of the new version against the old one. The metric's driver checks `options`. */
export const Check = z.strictObject({
  metric: z.string().min(1),
  options: z.record(z.string(), z.unknown()).default({}),
});
export type Check = z.infer<typeof Check>;

export const Analysis = z.strictObject({
  /** How often it is measured. */
  interval: PositiveDuration.default('30s'),
  /** Fewer attempts to connect than this prove nothing: the step waits for more. */
  minSample: z.int().min(1).max(1_000_000).default(20),
  /** A step that has not seen its sample in this time pauses for a person. */
  patience: PositiveDuration.default('30m'),
  /** Chance of taking back a version that is as good as the old one, over all measurements of one rollout together. */
  falseAborts: z.number().min(0.000_001).max(0.2).default(0.01),
  checks: z.array(Check).min(1).max(16).optional(),
});
export type Analysis = z.infer<typeof Analysis>;

export const CanaryStep = z.strictObject({
  /** Percent of new sessions that go to the new version. */
  weight: z.int().min(0).max(100),
  /** Instances of the new version; default: the same share of those wanted, at least one. */
  instances: Share.optional(),
  /** How long it stays at this weight; `manual`: until somebody promotes it. */
  pause: z.union([z.literal('manual'), Duration]).default('60s'),
});
export type CanaryStep = z.infer<typeof CanaryStep>;

const DEFAULT_STEPS: readonly z.input<typeof CanaryStep>[] = [{ weight: 5 }, { weight: 25 }, { weight: 50 }];

const common = {
  /** Without progress for this long it has failed. */
  progressDeadline: PositiveDuration.default('10m'),
  /** What happens when it has failed: the old version takes over again, or it stops where it is until a person decides. */
  onFailure: z.enum(['abort', 'pause']).default('abort'),
};

export const RolloutStrategy = z
  .discriminatedUnion('strategy', [
    z.strictObject({
      strategy: z.literal('rolling'),
      /** More instances than wanted while it goes on. */
      surge: Share.default('25%'),
      /** Fewer ready instances than wanted while it goes on. */
      unavailable: Share.default(0),
      ...common,
    }),
    /** Old instances end before new ones start: for agents of which two versions can not run at a time. */
    z.strictObject({ strategy: z.literal('recreate'), ...common }),
    z.strictObject({
      strategy: z.literal('blue-green'),
      /** False: the new version, all ready, waits for a promotion. */
      autoPromote: z.boolean().default(true),
      /** The old version's instances are kept this long after the switch, so that it can be taken back at once. */
      keepOld: Duration.default('10m'),
      /** Absent: nothing is measured; at the switch the old version gets no sessions to compare with. */
      analysis: Analysis.optional(),
      ...common,
    }),
    z.strictObject({
      strategy: z.literal('canary'),
      steps: z
        .array(CanaryStep)
        .min(1)
        .max(50)
        .refine(
          (steps) => steps.every((step, index) => index === 0 || step.weight > (steps[index - 1]?.weight ?? 0)),
          'weights must grow from step to step',
        )
        .prefault([...DEFAULT_STEPS]),
      analysis: Analysis.prefault({}),
      ...common,
    }),
  ])
  .meta({ id: 'RolloutStrategy' });
export type RolloutStrategy = z.infer<typeof RolloutStrategy>;

/** pass: no sign against it; fail: worse than the old version beyond chance; inconclusive: a metric can't be had; waiting: too few sessions yet. */
export const Verdict = z.enum(['pass', 'fail', 'inconclusive', 'waiting']);
export type Verdict = z.infer<typeof Verdict>;

/** One look at one metric, with the figures that led to its verdict. */
export const Measurement = z.strictObject({
  at: Timestamp,
  metric: z.string(),
  verdict: Verdict,
  /** A sentence with the figures. */
  message: z.string(),
});
export type Measurement = z.infer<typeof Measurement>;

/**
 * progressing: goes on by itself; paused: waits for a person or for the end of a pause that a person made; completed and aborted: over.
 * The old version serves what `weight` leaves to it, and everything once it is aborted.
 */
export const ROLLOUT_PHASES = ['progressing', 'paused', 'completed', 'aborted'] as const;

export const Rollout = z.strictObject({
  kind: z.literal('Rollout'),
  service: Name,
  /** Counts the rollouts of the service, from 1. */
  number: z.int().min(1),
  from: z.int().min(1),
  to: z.int().min(1),
  /** As the service's spec had it when it began: a change of the spec does not bend what is under way. */
  strategy: RolloutStrategy,
  phase: z.enum(ROLLOUT_PHASES),
  /** Index of the present stage; past the last one: the new version takes all. */
  stage: z.int().min(0),
  /** When the stage, or its last progress, began. */
  stageSince: Timestamp,
  /** When the stage's weight was put in force; absent: its instances are still getting ready. */
  weightSince: Timestamp.optional(),
  /** When the new version got its first share. */
  servingSince: Timestamp.optional(),
  /** Percent of new sessions that go to `to`. */
  weight: z.int().min(0).max(100),
  /** Ready instances of `to` when last looked at: progress. */
  ready: z.int().min(0),
  /** One CamelCase word and a sentence: why it is where it is. */
  reason: z.string(),
  message: z.string(),
  since: Timestamp,
  /** Newest last; bounded. */
  measurements: z.array(Measurement),
  /** Looks at the metrics so far: each later one must be surer, so that many looks do not add up to a false alarm. */
  looks: z.int().min(0),
  startedAt: Timestamp,
  endedAt: Timestamp.optional(),
});
export type Rollout = z.infer<typeof Rollout>;

export function isActive(rollout: Rollout | undefined): rollout is Rollout {
  return rollout !== undefined && (rollout.phase === 'progressing' || rollout.phase === 'paused');
}

/** The version that serves by default: the one before, until a rollout is completed. */
export function stableVersion(service: { readonly version: number }, rollout: Rollout | undefined): number {
  return rollout === undefined || rollout.phase === 'completed' ? service.version : rollout.from;
}

/** What people ask of a rollout that is under way, or, for `retry`, of one that was aborted. */
export const ROLLOUT_VERBS = ['pause', 'resume', 'promote', 'promote-full', 'abort', 'retry'] as const;
export type RolloutVerb = (typeof ROLLOUT_VERBS)[number];
