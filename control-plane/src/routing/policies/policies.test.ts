import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { LoadSignals } from '../../model/load.ts';
import { applyPolicy } from '../apply-policy.ts';
import { policyConformance } from '../conformance.ts';
import type { RoutingPolicy } from '../policy.ts';
import { hash } from './hash.ts';
import { leastConnections } from './least-connections.ts';
import { levels } from './levels.ts';
import { performance } from './performance.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { tags } from './tags.ts';
import { weighted } from './weighted.ts';

policyConformance(leastConnections, [{}, { choices: 5 }]);
policyConformance(roundRobin, [{}]);
policyConformance(random, [{}]);
policyConformance(weighted, [{}]);
policyConformance(performance, [{}, { capacity: 50, weights: { sessions: 1, latency: 0 } }]);
policyConformance(hash, [
  {},
  { by: [{ query: 'user' }, { header: 'x-user' }, { cookie: 'user' }, { clientIp: true }] },
]);
policyConformance(tags, [{ tags: { tier: 'gold' } }, { tags: { tier: 'gold' }, otherwise: 'any' }]);
policyConformance(levels, [{ levels: [{ tags: { tier: 'gold' } }, { tags: { tier: 'silver' } }, {}] }]);

describe('performance', () => {
  const pool = Array.from({ length: 4 }, (_, n) => ({
    id: `a-${n}`,
    host: '127.0.0.1',
    port: 9000 + n,
    weight: 1,
    version: 1,
    tags: {},
    zone: '',
    health: 'healthy' as const,
  }));
  const options = performance.options.parse({});
  const run = (signals: readonly Omit<LoadSignals, 'instance'>[], rounds: number): Map<string, number>[] => {
    const all = new Map(pool.map(({ id }, n) => [id, { instance: id, sessions: 0, ...signals[n] }]));
    const history: Map<string, number>[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const previous = history.at(-1) ?? new Map<string, number>();
      history.push(new Map(performance.apply(options, pool, { signals: all, previous }).weights));
    }
    return history;
  };

  it('starts equal, moves slowly to what the signals tell, stays within bounds and then stands still', () => {
    const history = run([{ sessions: 0 }, { sessions: 10 }, { sessions: 10 }, { sessions: 400, errorRate: 1 }], 40);
    expect([...(history[0] ?? [])].map(([, weight]) => weight)).toEqual([100, 100, 100, 100]);
    for (const [round, weights] of history.entries()) {
      for (const [id, weight] of weights) {
        const before = history[round - 1]?.get(id) ?? weight;
        expect(Math.abs(weight - before)).toBeLessThanOrEqual(1 + 0.2 * before);
        expect(weight).toBeGreaterThanOrEqual(25);
        expect(weight).toBeLessThanOrEqual(200);
      }
    }
    const last = history.at(-1);
    expect(last).toEqual(history.at(-2));
    expect(last?.get('a-0')).toBeGreaterThan(last?.get('a-1') ?? 0);
    expect(last?.get('a-3')).toBeLessThan(30);
  });

  it('says what it goes by', () => {
    const signals = new Map([['a-0', { instance: 'a-0', sessions: 3, probeLatencyMs: 12, errorRate: 0.25 }]]);
    const { reasons } = performance.apply(options, pool, { signals, previous: new Map() });
    expect(reasons?.get('a-0')).toMatch(/^weight 100.*: 3 of 10 sessions, probe 12 ms, 25 % errors$/);
    expect(reasons?.get('a-1')).toContain('nothing is known of it yet');
  });
});

describe('a policy that is wrong', () => {
  const ofUser = (apply: RoutingPolicy<never>['apply']): RoutingPolicy<never> => ({
    name: 'mine',
    about: '',
    options: z.strictObject({}) as never,
    apply,
  });
  it.each<[string, RoutingPolicy<never>['apply'], string]>([
    [
      'throws',
      () => {
        throw new Error('oh no');
      },
      'oh no',
    ],
    ['gives nothing', () => undefined as never, 'it gives no cluster fragment'],
    ['gives a weight of 0', () => ({ cluster: {}, weights: new Map([['a', 0]]) }), 'whole number from 1'],
    ['gives half a weight', () => ({ cluster: {}, weights: new Map([['a', 1.5]]) }), 'whole number from 1'],
    ['gives NaN', () => ({ cluster: {}, weights: new Map([['a', Number.NaN]]) }), 'whole number from 1'],
    ['leads elsewhere', () => ({ cluster: {}, route: { cluster: 'other' } }), 'another cluster'],
  ])('%s: the last good answer stays', (_, apply, message) => {
    const good = { cluster: { lb_policy: 'RANDOM' } };
    const context = { signals: new Map(), previous: new Map() };
    const { fragment, problem } = applyPolicy(ofUser(apply), { type: 'mine', options: {} }, [], context, good);
    expect(fragment).toBe(good);
    expect(problem).toContain(message);
  });
});
