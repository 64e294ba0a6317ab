/** What the metrics say of the present stage, all of the last look together: the worst of them counts. */
import type { Rollout, Verdict } from '../model/rollout.ts';
import type { Judgement } from './advance.ts';
import { isStaged } from './stages.ts';

const WORST_FIRST: readonly Verdict[] = ['fail', 'inconclusive', 'waiting', 'pass'];

/** Undefined: nothing is measured in this rollout. */
export function judgementOf(rollout: Rollout): Judgement | undefined {
  const { strategy, weightSince, weight } = rollout;
  if (!isStaged(strategy) || strategy.analysis === undefined) return undefined;
  // Before the new version has a share there is nothing to measure.
  if (weight === 0) return undefined;
  const last = rollout.measurements.at(-1)?.at;
  if (last === undefined || (weightSince !== undefined && last < weightSince))
    return { verdict: 'waiting', message: 'this stage was not measured yet' };
  const look = rollout.measurements.filter((one) => one.at === last);
  for (const verdict of WORST_FIRST) {
    const found = look.filter((one) => one.verdict === verdict);
    if (found.length > 0) return { verdict, message: found.map((one) => `${one.metric}: ${one.message}`).join('; ') };
  }
  return undefined;
}
