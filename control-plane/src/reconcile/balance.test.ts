import { describe, expect, it } from 'vitest';
import { balanceOf, isEven, sharesOf, steeringFactors } from './balance.ts';
import { makeInstance, makeService } from './testing.ts';

const instances = ['a', 'b', 'c'].map((id) => makeInstance({ id }));
const spread = (counts: Record<string, number>): ReturnType<typeof sharesOf> =>
  sharesOf(instances, ({ id }) => counts[id] ?? 0);

describe('balance', () => {
  it('tells who has too many, and what would have to move', () => {
    const balance = balanceOf(makeService({}), spread({ a: 60, b: 30, c: 0 }), null);
    expect(balance).toMatchObject({ sessions: 90, ratio: null, isEven: false, toMove: 30 });
    expect(balance.shares[0]).toEqual({ instance: 'a', weight: 1, sessions: 60, even: 30, excess: 30 });
    expect(balance.steering).toMatchObject({ possible: false });
    expect(balance.steering.reason).toContain('by itself');
    expect(balance.moving.reason).toContain('spec.hooks.close');
  });

  it('counts by weight, and leaves out who takes no new sessions', () => {
    const mixed = [
      makeInstance({ id: 'a', weight: 3 }),
      makeInstance({ id: 'b' }),
      makeInstance({ id: 'c', state: 'draining' }),
    ];
    const shares = sharesOf(mixed, ({ id }) => ({ a: 75, b: 25, c: 100 })[id] ?? 0);
    expect(isEven(shares)).toBe(true);
    expect(shares.map((one) => one.instance)).toEqual(['a', 'b']);
    expect(isEven([])).toBe(true);
  });

  it('steers by powers of two, never to nothing', () => {
    expect(Object.fromEntries(steeringFactors(spread({ a: 200, b: 10, c: 0 })))).toEqual({ a: 0.25, b: 4, c: 4 });
    expect(Object.fromEntries(steeringFactors(spread({ a: 10, b: 10, c: 11 })))).toEqual({ a: 1, b: 1, c: 1 });
  });
});
