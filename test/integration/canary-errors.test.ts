/** Whole canaries with their default settings over a simulated clock: what is healthy is never taken back, what is not is, at its first step. */
import { expect, it } from 'vitest';
import { simulate, type Outcome, type Scenario } from '../bench/canary-simulation.ts';

const RUNS = 50;

async function runs(excess: number, more: Partial<Scenario> = {}): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let seed = 1; seed <= RUNS; seed += 1)
    outcomes.push(await simulate(seed, { perSecond: 10, failing: 0.005, excess, ...more }));
  return outcomes;
}

it('promotes every one of 50 healthy canaries', async () => {
  const outcomes = await runs(0);
  expect(outcomes.filter(({ end }) => end !== 'completed')).toEqual([]);
});

it('takes back every one that fails 20 % of handshakes, before 1 % of all new sessions have failed', async () => {
  const outcomes = await runs(0.2);
  expect(outcomes.filter(({ end, weight }) => end !== 'aborted' || weight > 5)).toEqual([]);
  const total = (of: (one: Outcome) => number): number => outcomes.reduce((sum, one) => sum + of(one), 0);
  expect(total(({ failed }) => failed) / total(({ sessions }) => sessions)).toBeLessThan(0.01);
});

it('promotes a healthy one whose clients are turned away by any version, also when one of them comes again and again', async () => {
  const outcomes = await runs(0, { turnedAway: [0.2, 0.2], pest: true });
  expect(outcomes.filter(({ end }) => end !== 'completed')).toEqual([]);
});

it('takes back one that turns away everybody, or three times as many as the old one', async () => {
  for (const fresh of [1, 0.6]) {
    const outcomes = await runs(0, { turnedAway: [0.2, fresh] });
    expect(outcomes.filter(({ end }) => end !== 'aborted')).toEqual([]);
  }
});
