/** How often the analysis errs: healthy canaries that are taken back, bad ones that are not, and what a bad one costs before it is. */
import { simulate, type Outcome, type Scenario } from './canary-simulation.ts';
import { bounded, median, type Figure } from './figure.ts';

const share = (of: readonly Outcome[], is: (one: Outcome) => boolean): number =>
  (100 * of.filter(is).length) / of.length;
const sum = (of: readonly Outcome[], value: (one: Outcome) => number): number =>
  of.reduce((total, one) => total + value(one), 0);

async function runs(count: number, scenario: Scenario): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let seed = 1; seed <= count; seed += 1) outcomes.push(await simulate(seed, scenario));
  return outcomes;
}

export async function canary(quick: boolean): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const perSecond of [2, 10, 50]) {
    const count = Math.round((quick ? 100 : 2_000) / (perSecond > 10 ? 4 : 1));
    const at = `${count} canaries at ${perSecond} sessions a second`;
    const healthy = await runs(count, { perSecond, failing: 0.005, excess: 0 });
    const bad = await runs(count, { perSecond, failing: 0.005, excess: 0.2 });
    const falsely = share(healthy, ({ end }) => end === 'aborted');
    const missed = share(bad, ({ end }) => end !== 'aborted');
    const cost = (100 * sum(bad, ({ failed }) => failed)) / sum(bad, ({ sessions }) => sessions);
    const later = share(bad, ({ weight }) => weight > 5);
    const paused = share(healthy, ({ end }) => end === 'paused');
    const each = bad.map(({ failed, planned }) => (100 * failed) / planned);
    figures.push(
      bounded(`${at}, healthy: taken back`, '%', falsely, [falsely], 1),
      bounded(`${at}, healthy: paused for a person`, '%', paused, [paused], 1),
      bounded(`${at}, 20 % fail: not taken back`, '%', missed, [missed], 0.1),
      bounded(`${at}, 20 % fail: of all new sessions up to the abort`, '%', cost, [cost], 1),
      bounded(`${at}, 20 % fail: of the sessions of a rollout's usual time, each`, '%', median(each), each, 1),
      bounded(`${at}, 20 % fail: got past its first step`, '%', later, [later], 1),
    );
  }
  return figures;
}
