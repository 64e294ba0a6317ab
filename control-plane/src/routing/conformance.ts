/** What every routing policy must do: pure, stable, and a fragment that is valid Envoy configuration. */
import { encode } from '@switchboard/proto';
import { describe, expect, it } from 'vitest';
import type { FleetInstance } from '../model/fleet.ts';
import { checkFragment } from './apply-policy.ts';
import type { PolicyContext, RoutingPolicy } from './policy.ts';

function instances(count: number): FleetInstance[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `a-${n}`,
    host: '127.0.0.1',
    port: 9000 + n,
    weight: n + 1,
    version: 1,
    tags: {},
    zone: '',
    health: 'healthy',
  }));
}

/** Signals as different as the instances. */
function context(pool: readonly FleetInstance[]): PolicyContext {
  return {
    signals: new Map(
      pool.map(({ id }, n) => [id, { instance: id, sessions: 7 * n, probeLatencyMs: 1 + 40 * n, errorRate: n / 10 }]),
    ),
    previous: new Map(pool.map(({ id }) => [id, 100])),
  };
}

export function policyConformance<Options>(policy: RoutingPolicy<Options>, examples: readonly unknown[]): void {
  describe(`policy ${policy.name}`, () => {
    it.each(examples.map((example) => [JSON.stringify(example), example]))(
      'with %s gives a fragment that Envoy’s schema takes',
      (_, example) => {
        const options = policy.options.parse(example);
        for (const pool of [[], instances(1), instances(5)]) {
          const fragment = policy.apply(options, pool, context(pool));
          expect(() => encode('envoy.config.cluster.v3.Cluster', { name: 'c', ...fragment.cluster })).not.toThrow();
          if (fragment.route !== undefined)
            expect(() =>
              encode('envoy.config.route.v3.RouteAction', { cluster: 'c', ...fragment.route }),
            ).not.toThrow();
          expect(() => checkFragment(fragment)).not.toThrow();
          for (const weight of fragment.weights?.values() ?? []) expect(weight).toBeGreaterThanOrEqual(1);
          for (const id of fragment.weights?.keys() ?? []) expect(pool.map((one) => one.id)).toContain(id);
        }
      },
    );

    it('does not depend on the order of instances, nor changes what it is given', () => {
      const options = policy.options.parse(examples[0]);
      const pool = instances(4);
      const before = JSON.stringify(pool);
      const one = policy.apply(options, pool, context(pool));
      const two = policy.apply(options, [...pool].reverse(), context(pool));
      expect(two.cluster).toEqual(one.cluster);
      expect(new Map([...(two.weights ?? [])].sort())).toEqual(new Map([...(one.weights ?? [])].sort()));
      expect(new Map([...(two.levels ?? [])].sort())).toEqual(new Map([...(one.levels ?? [])].sort()));
      expect(JSON.stringify(pool)).toBe(before);
    });

    it('refuses options that it does not know', () => {
      expect(policy.options.safeParse({ ...(examples[0] as object), noSuchOption: 1 }).success).toBe(false);
    });
  });
}
