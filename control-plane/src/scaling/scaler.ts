/**
 * The autoscaler of one service: looks at a sample each time it is asked, and says how many instances there should be and why. It keeps the
 * last minutes of samples and wishes, and nothing else; live and replayed history go through this same code.
 *
 * After Knative (stable and panic window, no fall while in panic) and Kubernetes' HPA (tolerance, the highest wish of the stabilization time
 * counts when going down). A scaler that was just made knows no history, and so never goes down before it has seen a whole window.
 */
import type { Autoscale, ScaleDecision, ScaleSample } from '../model/autoscale.ts';
import { shareOf } from '../model/rollout.ts';
import { durationMs } from '../model/units.ts';
import { floorAt } from './floors.ts';
import { createWindows } from './windows.ts';
import { wishesOf, type Wish } from './wishes.ts';

export interface Scaler {
  decide(sample: ScaleSample): ScaleDecision;
}

interface Choice {
  readonly to: number;
  readonly reason: string;
  readonly message: string;
}

export function createScaler(policy: Autoscale): Scaler {
  const [stableMs, panicMs] = [durationMs(policy.stableWindow), durationMs(policy.panicWindow)];
  const stabilizationMs = durationMs(policy.scaleDown.stabilization);
  const idleMs = durationMs(policy.zero?.idle ?? '0ms');
  const [upMs, downMs] = [durationMs(policy.scaleUp.period), durationMs(policy.scaleDown.period)];
  const windows = createWindows(Math.max(stableMs, panicMs, idleMs) + 1_000);
  let panicUntil = 0;
  let begunAt: number | undefined;
  /** What was wished for lately, for going down. */
  let wished: { at: number; instances: number }[] = [];
  /** How many were wanted lately, for the rates. */
  let had: { at: number; replicas: number }[] = [];

  function remember(now: number, replicas: number): void {
    had.push({ at: now, replicas });
    had = had.filter(({ at }) => at > now - Math.max(upMs, downMs));
  }

  /** The wish of the strongest signal, within tolerance of what there is: none. */
  function wishNow(wishes: readonly Wish[], sample: ScaleSample): { instances: number; by: Wish | undefined } {
    const by = wishes.reduce<Wish | undefined>(
      (most, one) => (one.stable > (most?.stable ?? -1) ? one : most),
      undefined,
    );
    if (by === undefined) return { instances: sample.replicas, by };
    const off = sample.replicas === 0 ? 1 : Math.abs(by.stable / sample.replicas - 1);
    return { instances: off <= policy.tolerance ? sample.replicas : Math.ceil(by.stable - 1e-9), by };
  }

  function panicWish(
    wishes: readonly Wish[],
    sample: ScaleSample,
  ): { panics: boolean; instances: number; figures: string } {
    const by = wishes.reduce<Wish | undefined>((most, one) => (one.panic > (most?.panic ?? 0) ? one : most), undefined);
    const most = Math.ceil((by?.panic ?? 0) - 1e-9);
    if (most / Math.max(1, sample.ready) >= policy.panicThreshold) panicUntil = sample.at + stableMs;
    return { panics: sample.at < panicUntil, instances: most, figures: by?.panicFigures ?? '' };
  }

  function isIdle({ at, sessions, waiting = 0 }: ScaleSample): boolean {
    if (policy.zero === undefined || policy.min > 0 || sessions === undefined || waiting > 0) return false;
    const since = windows.since((one) => one.sessions === 0 && (one.waiting ?? 0) === 0);
    return since !== undefined && at - since >= idleMs;
  }

  function choose(sample: ScaleSample, wishes: readonly Wish[]): Choice {
    const now = sample.at;
    const current = sample.replicas;
    const floor = floorAt(policy, now);
    const least = Math.max(floor.replicas, sample.asked ?? 0);
    const within = (count: number): number => Math.min(policy.max, Math.max(least, count));
    if (current === 0 && (sample.waiting ?? 0) > 0)
      return { to: within(1), reason: 'FromZero', message: `${sample.waiting ?? 0} clients wait for an instance` };
    if (least === 0 && isIdle(sample))
      return {
        to: 0,
        reason: current === 0 ? 'Steady' : 'Idle',
        message: `no session for ${policy.zero?.idle ?? ''}: nothing needs to run`,
      };
    const { instances, by } = wishNow(wishes, sample);
    const figures = by === undefined ? 'no signal is known' : by.figures;
    const panic = panicWish(wishes, sample);
    // So few that the same peak would be panic again are too few.
    const calm = panic.instances === 0 ? 0 : Math.floor(panic.instances / policy.panicThreshold) + 1;
    wished.push({ at: now, instances: Math.max(instances, panic.panics ? panic.instances : calm) });
    wished = wished.filter(({ at }) => at > now - stabilizationMs);

    const goal = within(panic.panics ? Math.max(panic.instances, instances, current) : instances);
    if (goal > current)
      return up(sample, goal, panic.panics, floor.cron, panic.panics ? panic.figures : figures, instances);
    // One that idled is not taken away before the policy's idle time is over.
    const lowest = policy.zero !== undefined && policy.min === 0 ? Math.max(1, goal) : goal;
    if (lowest < current) return down(sample, within(lowest), figures);
    return { to: within(current), reason: 'Steady', message: figures };
  }

  function up(
    sample: ScaleSample,
    goal: number,
    panics: boolean,
    cron: string | undefined,
    figures: string,
    instances: number,
  ): Choice {
    const before = Math.min(
      ...had.filter(({ at }) => at > sample.at - upMs).map((one) => one.replicas),
      sample.replicas,
    );
    const most = before + Math.max(policy.scaleUp.instances, shareOf(policy.scaleUp.share, before));
    const to = Math.max(sample.replicas, Math.min(goal, most));
    const limited = to < goal ? `; ${goal} are wanted, no more than ${most} within ${policy.scaleUp.period}` : '';
    if (to > sample.replicas && goal > instances && !panics) {
      const why = cron === undefined ? `at least ${goal} are wanted` : `the schedule ${cron} wants ${goal}`;
      return { to, reason: 'Floor', message: `${why}${limited}` };
    }
    if (to === sample.replicas) return { to, reason: 'RateLimited', message: `${figures}${limited}` };
    return { to, reason: panics ? 'Panic' : 'Load', message: `${figures}${limited}` };
  }

  function down(sample: ScaleSample, goal: number, figures: string): Choice {
    const current = sample.replicas;
    const keep = (reason: string, message: string): Choice => ({
      to: current,
      reason,
      message: `${figures}; ${message}`,
    });
    if (sample.at - (begunAt ?? sample.at) < Math.max(stableMs, stabilizationMs))
      return keep('Learning', `fewer would do, but less than ${policy.scaleDown.stabilization} have been seen`);
    const highest = Math.max(goal, ...wished.map((one) => one.instances));
    if (highest >= current)
      return keep('Stabilizing', `${highest} were wished for within ${policy.scaleDown.stabilization}`);
    const before = Math.max(...had.filter(({ at }) => at > sample.at - downMs).map((one) => one.replicas), current);
    const to = Math.max(highest, before - policy.scaleDown.instances);
    if (to >= current)
      return keep('RateLimited', `no more than ${policy.scaleDown.instances} within ${policy.scaleDown.period}`);
    return { to, reason: 'Load', message: figures };
  }

  return {
    decide(sample) {
      // A clock that was set: what was seen has no time any more.
      if (begunAt === undefined || sample.at < (had.at(-1)?.at ?? 0)) {
        begunAt = sample.at;
        wished = [];
        had = [];
      }
      windows.add(sample);
      const wishes = wishesOf(policy, windows);
      const choice = choose(sample, wishes);
      remember(sample.at, sample.replicas);
      return {
        at: new Date(sample.at).toISOString(),
        from: sample.replicas,
        ...choice,
        sample,
        wishes: wishes.map(({ signal, stable }) => ({ signal, instances: Math.round(stable * 100) / 100 })),
      };
    },
  };
}
