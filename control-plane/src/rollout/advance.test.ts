import { describe, expect, it } from 'vitest';
import { RolloutStrategy, type Rollout } from '../model/rollout.ts';
import { advance, nextStage, type RolloutFacts, type RolloutPatch } from './advance.ts';
import { judgementOf } from './judgement.ts';
import { stagesOf, isStaged } from './stages.ts';

const T0 = Date.parse('2026-01-01T00:00:00.000Z');
const iso = (ms: number): string => new Date(ms).toISOString();

function rollout(strategy: unknown, fields: Partial<Rollout> = {}): Rollout {
  return {
    kind: 'Rollout',
    service: 'weather',
    number: 1,
    from: 1,
    to: 2,
    strategy: RolloutStrategy.parse(strategy),
    phase: 'progressing',
    stage: 0,
    stageSince: iso(T0),
    weight: 0,
    ready: 0,
    reason: 'Started',
    message: '',
    since: iso(T0),
    measurements: [],
    looks: 0,
    startedAt: iso(T0),
    ...fields,
  };
}

function facts(now: number, given: Partial<RolloutFacts> = {}): RolloutFacts {
  return {
    now: T0 + now,
    wokeAt: 0,
    wanted: 4,
    ready: 0,
    others: 4,
    stableReady: 4,
    failure: undefined,
    judgement: undefined,
    ...given,
  };
}

const merged = (before: Rollout, patch: RolloutPatch | undefined): Rollout =>
  JSON.parse(JSON.stringify({ ...before, ...patch })) as Rollout;

const canary = {
  strategy: 'canary',
  steps: [
    { weight: 5, pause: '60s' },
    { weight: 50, pause: 'manual' },
  ],
};
const pass = { verdict: 'pass', message: 'good' } as const;

describe('a canary', () => {
  it('goes through its stages: instances first, then the weight, then its pause, then the verdict', () => {
    let state = rollout(canary);
    expect(advance(state, facts(10))).toBeUndefined();
    state = merged(state, advance(state, facts(2_000, { ready: 1 })));
    expect(state).toMatchObject({ weight: 5, weightSince: iso(T0 + 2_000), servingSince: iso(T0 + 2_000) });
    expect(advance(state, facts(61_000, { ready: 1, judgement: pass }))).toBeUndefined();
    const waiting = { verdict: 'waiting', message: 'too few' } as const;
    expect(advance(state, facts(100_000, { ready: 1, judgement: waiting }))).toBeUndefined();
    state = merged(state, advance(state, facts(100_000, { ready: 1, judgement: pass })));
    expect(state).toMatchObject({ stage: 1, weight: 5 });
    expect(state.weightSince).toBeUndefined();
    // Half of four instances before half of the sessions; the first is counted as progress.
    state = merged(state, advance(state, facts(101_000, { ready: 1 })));
    expect(state).toMatchObject({ weight: 5, ready: 1 });
    state = merged(state, advance(state, facts(102_000, { ready: 2 })));
    expect(state).toMatchObject({ weight: 50 });
    state = merged(state, advance(state, facts(103_000, { ready: 2, judgement: pass })));
    expect(state).toMatchObject({ phase: 'paused', reason: 'AwaitsPromotion' });
    expect(advance(state, facts(9_000_000, { ready: 2, judgement: pass }))).toBeUndefined();
    state = merged(state, nextStage(state, T0 + 9_000_000, 3));
    expect(advance(state, facts(9_001_000, { ready: 2 }))).toBeUndefined();
    state = merged(state, advance(state, facts(9_002_000, { ready: 4 })));
    expect(state).toMatchObject({ weight: 100 });
    state = merged(state, advance(state, facts(9_003_000, { ready: 4, judgement: pass })));
    state = merged(state, advance(state, facts(9_004_000, { ready: 4 })));
    expect(state).toMatchObject({ phase: 'completed', weight: 100 });
    expect(advance(state, facts(9_005_000, { ready: 4 }))).toBeUndefined();
  });

  it('takes itself back when the metrics say so, also while it waits for its promotion', () => {
    const fail = { verdict: 'fail', message: 'connect-success: 10 of 50 failed' } as const;
    const serving = rollout(canary, { weight: 5, weightSince: iso(T0), ready: 1 });
    expect(advance(serving, facts(5_000, { ready: 1, judgement: fail }))).toMatchObject({
      phase: 'aborted',
      weight: 0,
      reason: 'AnalysisFailed',
      message: 'connect-success: 10 of 50 failed: version 1 takes all new sessions again',
    });
    const waits = { ...serving, phase: 'paused', reason: 'AwaitsPromotion', stage: 1 } as const;
    expect(advance(waits, facts(5_000, { ready: 2, judgement: fail }))).toMatchObject({ phase: 'aborted' });
    // A pause that a person made is that person's.
    expect(advance({ ...waits, reason: 'Paused' }, facts(5_000, { ready: 2, judgement: fail }))).toBeUndefined();
    const careful = rollout({ ...canary, onFailure: 'pause' }, { weight: 5, weightSince: iso(T0) });
    expect(advance(careful, facts(5_000, { judgement: fail }))).toMatchObject({ phase: 'paused' });
  });

  it('pauses when nothing can be said', () => {
    const serving = rollout(canary, { weight: 5, weightSince: iso(T0), ready: 1 });
    const inconclusive = { verdict: 'inconclusive', message: 'prometheus can not be asked' } as const;
    expect(advance(serving, facts(30_000, { ready: 1, judgement: inconclusive }))).toBeUndefined();
    expect(advance(serving, facts(60_000, { ready: 1, judgement: inconclusive }))).toMatchObject({
      phase: 'paused',
      reason: 'Inconclusive',
    });
    const waiting = { verdict: 'waiting', message: '3 of 20' } as const;
    expect(advance(serving, facts(1_700_000, { ready: 1, judgement: waiting }))).toBeUndefined();
    expect(advance(serving, facts(1_800_000, { ready: 1, judgement: waiting }))).toMatchObject({ phase: 'paused' });
  });

  it('gives up what never gets ready, and what crashes', () => {
    const state = rollout(canary);
    expect(advance(state, facts(599_000))).toBeUndefined();
    expect(advance(state, facts(600_000))).toMatchObject({ phase: 'aborted', reason: 'ProgressDeadline' });
    // After a standstill, in which nobody saw any, it has its whole time again.
    expect(advance(state, facts(600_000, { wokeAt: T0 + 500_000 }))).toBeUndefined();
    expect(advance(state, facts(10, { failure: 'instance w-1 of version 2 gave up' }))).toMatchObject({
      phase: 'aborted',
      reason: 'CrashLoop',
    });
  });

  it('is not careful of a version that does not serve', () => {
    const skips = advance(rollout(canary), facts(10, { ready: 1, stableReady: 0, others: 0 }));
    expect(skips).toMatchObject({ stage: 3 });
    expect(advance(rollout(canary), facts(10, { wanted: 0 }))).toMatchObject({ phase: 'completed' });
  });

  it('needs one instance at least, and never more than are wanted', () => {
    const strategy = RolloutStrategy.parse({
      strategy: 'canary',
      steps: [{ weight: 1 }, { weight: 30 }, { weight: 60, instances: 9 }],
    });
    if (!isStaged(strategy)) throw new Error('a canary has stages');
    expect(stagesOf(strategy, 4).map((stage) => stage.instances)).toEqual([1, 2, 4, 4]);
    expect(stagesOf(strategy, 1).map((stage) => stage.instances)).toEqual([1, 1, 1, 1]);
  });
});

describe('blue-green', () => {
  it('waits for all instances, then for a promotion if it is told to, then keeps the old ones for a while', () => {
    let state = rollout({ strategy: 'blue-green', autoPromote: false, keepOld: '10m' });
    expect(advance(state, facts(10, { ready: 0 }))).toBeUndefined();
    state = merged(state, advance(state, facts(20, { ready: 4 })));
    expect(state).toMatchObject({ weight: 0, stage: 0 });
    expect(state.servingSince).toBeUndefined();
    state = merged(state, advance(state, facts(30, { ready: 4 })));
    expect(state).toMatchObject({ phase: 'paused', reason: 'AwaitsPromotion' });
    state = merged(state, nextStage(state, T0 + 40, 2));
    state = merged(state, advance(state, facts(50, { ready: 4 })));
    expect(state).toMatchObject({ weight: 100, stage: 1 });
    expect(advance(state, facts(599_000, { ready: 4 }))).toBeUndefined();
    state = merged(state, advance(state, facts(601_000, { ready: 4 })));
    state = merged(state, advance(state, facts(601_001, { ready: 4 })));
    expect(state).toMatchObject({ phase: 'completed' });
  });
});

describe('rolling and recreate', () => {
  it('are over when all instances run the new version', () => {
    for (const strategy of ['rolling', 'recreate']) {
      let state = rollout({ strategy });
      state = merged(state, advance(state, facts(10, { ready: 2, others: 2 })));
      expect(state).toMatchObject({ phase: 'progressing', ready: 2, stageSince: iso(T0 + 10) });
      state = merged(state, advance(state, facts(20, { ready: 4, others: 1 })));
      expect(state.phase).toBe('progressing');
      expect(advance(state, facts(30, { ready: 4, others: 0 }))).toMatchObject({ phase: 'completed' });
    }
  });
});

describe('the judgement of a stage', () => {
  it('is the worst of the last look, and none before there is one', () => {
    const look = (at: number, ...verdicts: ('pass' | 'fail' | 'waiting')[]): Rollout['measurements'] =>
      verdicts.map((verdict, n) => ({ at: iso(T0 + at), metric: `m${n}`, verdict, message: 'x' }));
    const base = rollout(canary, { weight: 5, weightSince: iso(T0 + 10) });
    expect(judgementOf(rollout(canary))).toBeUndefined();
    expect(judgementOf(rollout({ strategy: 'blue-green' }, { weight: 100 }))).toBeUndefined();
    expect(judgementOf({ ...base, measurements: look(5, 'pass') })).toMatchObject({ verdict: 'waiting' });
    expect(judgementOf({ ...base, measurements: [...look(20, 'fail'), ...look(30, 'pass', 'waiting')] })).toEqual({
      verdict: 'waiting',
      message: 'm1: x',
    });
  });
});

it.each([
  [[50, 5], 'steps'],
  [[5, 5], 'steps'],
  [[101], 'steps.0.weight'],
  [[], 'steps'],
])('refuses a canary whose steps have the weights %j', (weights, path) => {
  const { error } = RolloutStrategy.safeParse({ strategy: 'canary', steps: weights.map((weight) => ({ weight })) });
  expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});
