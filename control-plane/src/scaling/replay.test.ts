import { describe, expect, it } from 'vitest';
import { Autoscale } from '../model/autoscale.ts';
import { replay, type RecordedStep } from './replay.ts';

const T0 = Date.parse('2026-01-05T00:00:00.000Z');
const STEP = 10_000;
const options = { stepMs: STEP, tickMs: 2_000, startMs: 4_000 };

function history(count: number, sessions: (step: number) => number | null): RecordedStep[] {
  return Array.from({ length: count }, (_, n) => ({
    at: T0 + n * STEP,
    sessions: sessions(n),
    ready: 5,
    cpuCores: null,
    memoryBytes: null,
  }));
}

describe('a replay', () => {
  it('shows what another policy would have done, when, why, and what it would have saved', () => {
    const day = history(360, (n) => (n < 180 ? 100 : 20));
    const { steps, moves, summary } = replay(Autoscale.parse({ sessions: 50, max: 10 }), day, options);
    expect(steps).toHaveLength(360);
    expect(steps[179]?.wanted).toBe(3);
    expect(steps[359]?.wanted).toBe(1);
    expect(moves.length).toBeGreaterThanOrEqual(4);
    expect(moves[0]).toMatchObject({ from: 5, to: 4, reason: 'Load' });
    expect(summary).toMatchObject({ fewest: 1, most: 5, overloadedSeconds: 0 });
    expect(summary.instanceHours.was).toBe(5);
    expect(summary.instanceHours.wouldBe).toBeLessThan(4);
  });

  it('counts when there would have been no room', () => {
    const surge = history(60, (n) => (n < 10 ? 10 : 400));
    const small = replay(Autoscale.parse({ sessions: 50, max: 5 }), surge, options);
    expect(small.summary.overloadedSeconds).toBeGreaterThan(400);
    const large = replay(Autoscale.parse({ sessions: 50, max: 20 }), surge, options);
    expect(large.summary.overloadedSeconds).toBeLessThan(60);
  });

  it('does nothing where nothing was recorded', () => {
    const { moves } = replay(
      Autoscale.parse({ sessions: 50, max: 10 }),
      history(300, () => null),
      options,
    );
    expect(moves).toEqual([]);
  });
});
