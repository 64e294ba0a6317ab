/** A strategy as a row of stages: how many instances of the new version, what share of new sessions, and how long. */
import type { Rollout, RolloutStrategy } from '../model/rollout.ts';
import { shareOf } from '../model/rollout.ts';
import { durationMs } from '../model/units.ts';

export interface Stage {
  /** Ready instances of the new version before its weight is put in force. */
  readonly instances: number;
  /** Percent of new sessions. */
  readonly weight: number;
  /** How long it stays; `manual`: until it is promoted. */
  readonly pause: string;
}

/** Strategies in which both versions serve beside each other, each with its share. */
export type StagedStrategy = Extract<RolloutStrategy, { strategy: 'canary' | 'blue-green' }>;

export function isStaged(strategy: RolloutStrategy): strategy is StagedStrategy {
  return strategy.strategy === 'canary' || strategy.strategy === 'blue-green';
}

/** The last stage is always the whole of the new version; after its pause the old one goes. */
export function stagesOf(strategy: StagedStrategy, wanted: number): readonly Stage[] {
  if (strategy.strategy === 'blue-green') {
    const gate: Stage[] = strategy.autoPromote ? [] : [{ instances: wanted, weight: 0, pause: 'manual' }];
    return [...gate, { instances: wanted, weight: 100, pause: strategy.keepOld }];
  }
  const steps = strategy.steps.map(({ weight, instances, pause }): Stage => {
    const share = instances ?? (weight === 0 ? 1 : `${weight}%`);
    return { instances: Math.min(wanted, Math.max(1, shareOf(share, wanted))), weight, pause };
  });
  if (steps.at(-1)?.weight === 100) return steps;
  return [...steps, { instances: wanted, weight: 100, pause: '0s' }];
}

/** Milliseconds since the epoch: when the old version's instances go, at the soonest. Infinity: when somebody promotes or resumes it. */
export function takesOverAt({ strategy, phase, stage, weightSince }: Rollout, wanted: number, now: number): number {
  const left = isStaged(strategy) ? stagesOf(strategy, wanted).slice(stage) : [];
  if (left.some(({ pause }) => pause === 'manual') || (left.length > 0 && phase === 'paused')) return Infinity;
  const rests = left.reduce((total, { pause }) => total + durationMs(pause), 0);
  const held = weightSince === undefined ? 0 : now - Date.parse(weightSince);
  return now + Math.max(0, rests - Math.min(held, durationMs(left[0]?.pause ?? '0s')));
}
