import { describe, expect, it } from 'vitest';
import type { Verdict } from '../model/health.ts';
import type { Instance } from '../model/instance.ts';
import { createFleetBuilder } from './fleet.ts';
import { makeInstance, makeRollout, makeService, makeView } from './testing.ts';
import { seeded } from '../../../test/support/random.ts';

const instances = ['a', 'b', 'c'].map((id) => makeInstance({ id }));
const healthy = (): Verdict => 'healthy';

describe('the FleetView', () => {
  it('keeps entries that were made of the same, and makes anew what was made of something else', () => {
    const build = createFleetBuilder();
    const service = makeService({ runtime: 'external' });
    const [first] = build(makeView(service, instances), healthy).services;
    const [again] = build(makeView(service, [...instances], 8), healthy).services;
    expect(again).toBe(first);
    const [ill] = build(makeView(service, instances), (id) => (id === 'b' ? 'unhealthy' : 'healthy')).services;
    expect(ill?.instances.map(({ health }) => health)).toEqual(['healthy', 'unhealthy', 'healthy']);
    expect(ill?.instances[0]).toBe(first?.instances[0]);
    const [written] = build(makeView({ ...service, updatedAt: 'later' }, instances), healthy).services;
    expect(written).toEqual(first);
  });

  it('is at each step what it would be without memory', () => {
    const seed = 20261125;
    const random = seeded(seed);
    const factors = new Map<string, number>();
    const verdicts = new Map<string, Verdict>();
    const factorOf = (id: string): number | undefined => factors.get(id);
    const verdictOf = (id: string): Verdict => verdicts.get(id) ?? 'unknown';
    const build = createFleetBuilder(factorOf);
    let service = makeService({ tags: { tier: 'a' } });
    let rollout: ReturnType<typeof makeRollout> | undefined;
    let present: Instance[] = [...instances];
    const drain = { reason: 'Drain', since: '', deadline: '', stopGrace: '30s' };
    const steps: (() => void)[] = [
      () =>
        verdicts.set(
          random.pick(['a', 'b', 'c']),
          random.pick(['healthy', 'unhealthy', 'degraded', 'unknown'] as const),
        ),
      () => factors.set(random.pick(['a', 'b', 'c']), random.pick([0.5, 1, 1.5])),
      () => {
        factors.clear();
      },
      () => {
        const index = random.below(present.length);
        const change = random.pick<Partial<Instance>>([
          { state: 'ready' },
          { state: 'starting' },
          { weight: 3 },
          { version: 2 },
          { drain },
        ]);
        present = present.map((one, at) => (at === index ? { ...one, ...change } : one));
      },
      () => {
        present = random.pick([present.slice(1), [...instances]]);
      },
      () => {
        service = makeService(random.pick([{ tags: { tier: 'b' } }, { tags: { tier: 'a' } }, { enabled: false }]));
      },
      () => {
        rollout = random.chance(0.3)
          ? undefined
          : makeRollout(
              { strategy: 'canary', steps: [{ weight: 25 }] },
              { phase: random.pick(['progressing', 'aborted'] as const) },
            );
      },
    ];
    for (let round = 0; round < 2_000; round += 1) {
      random.pick(steps)();
      const view = {
        ...makeView(service, present, round),
        rollouts: new Map(rollout === undefined ? [] : [['weather', { value: rollout, revision: 1 }]]),
      };
      const { services } = build(view, verdictOf);
      expect(services, `seed ${seed}, round ${round}`).toEqual(createFleetBuilder(factorOf)(view, verdictOf).services);
    }
  });
});
