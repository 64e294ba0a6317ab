/** What a write sets going is told before, whoever carries it on, with the time. */
import { describe, expect, it } from 'vitest';
import type { Instance } from '../model/instance.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Impact } from '../model/write.ts';
import type { RegistryView } from '../registry/registry.ts';
import { impactOf } from './impact.ts';
import { T0, makeInstance, makeRollout, makeService, makeView } from './testing.ts';

const HOUR = 3_600_000;
const iso = (ms: number): string => new Date(T0 + ms).toISOString();
const drain = { reason: 'ScaledDown', since: iso(0), deadline: iso(60_000), stopGrace: '7s' };
const two = [makeInstance({ id: 'a' }), makeInstance({ id: 'b' })];

function impact(
  before: RegistryView,
  after: RegistryView,
  { sessions = () => 1, ill = {} }: { sessions?: (instance: Instance) => number; ill?: Record<string, number> } = {},
): Impact {
  return impactOf(before, after, { sessionsOf: sessions, unhealthyFor: (id) => ill[id], now: T0 });
}

const view = (spec: Record<string, unknown>, instances: readonly Instance[] = two, version = 1): RegistryView =>
  makeView(makeService(spec, version), instances);
const rolling = (base: RegistryView, rollout: Rollout): RegistryView => ({
  ...base,
  rollouts: new Map([['weather', { value: rollout, revision: 8 }]]),
});
/** Each instance that is named, with its time or what it waits for. */
const named = ({ instances }: Impact): unknown[] =>
  instances.map(({ id, reason, deadline, waitsFor }) => [id, reason, waitsFor ?? Date.parse(deadline ?? '') - T0]);

describe('impactOf', () => {
  it('tells what a write sends away, and nothing of what was leaving anyway', () => {
    const instances = [...two, makeInstance({ id: 'c', drain })];
    const before = view({ replicas: 2 }, instances);
    const told = impact(before, view({ replicas: 0 }, instances), {
      sessions: (instance) => (instance.id === 'a' ? 3 : 1),
    });
    expect(told).toMatchObject({ endsNow: 0, drains: 4 });
    expect(named(told)).toEqual([
      ['a', 'ScaledDown', HOUR],
      ['b', 'ScaledDown', HOUR],
    ]);
    expect(impact(before, view({ replicas: 2, description: 'x' }, instances))).toEqual({
      endsNow: 0,
      drains: 0,
      instances: [],
    });
  });

  it('counts what ends at once apart', () => {
    const now = { ...drain, deadline: iso(0) };
    const told = impact(view({}), view({}, [makeInstance({ id: 'a', drain: now })]));
    expect(told).toMatchObject({ endsNow: 1, drains: 0 });
  });

  const canary = {
    strategy: 'canary',
    steps: [
      { weight: 10, pause: '5m' },
      { weight: 50, pause: '10m' },
    ],
  };
  const gated = { strategy: 'canary', steps: [{ weight: 10, pause: 'manual' }] };
  const green = { strategy: 'blue-green', keepOld: '20m' };
  const minutes = (count: number): number => count * 60_000;

  it.each([
    ['a canary, after its stages', canary, {}, HOUR + minutes(15)],
    ['blue-green, after the old ones were kept', green, {}, HOUR + minutes(20)],
    ['one that waits for somebody', gated, {}, 'promotion'],
    ['one past its stages', gated, { stage: 2 }, HOUR],
    ['one that is replaced at once', { strategy: 'rolling' }, {}, HOUR],
    ['recreate', { strategy: 'recreate' }, {}, HOUR],
  ])('names all of the old version for %s', (_, strategy, fields, deadline) => {
    const before = view({ replicas: 2, rollout: strategy });
    const after = rolling(view({ replicas: 2, rollout: strategy }, two, 2), makeRollout(strategy, fields));
    expect(named(impact(before, after))).toEqual([
      ['a', 'NewVersion', deadline],
      ['b', 'NewVersion', deadline],
    ]);
  });

  it('names them again when somebody promotes, resumes or hastens it, and those of the new one when it is taken back', () => {
    const at = (fields: Partial<Rollout>, strategy: unknown = gated): RegistryView =>
      rolling(
        view({ replicas: 2 }, [...two, makeInstance({ id: 'new', version: 2 })], 2),
        makeRollout(strategy, fields),
      );
    const times = (before: RegistryView, after: RegistryView): unknown[] =>
      named(impact(before, after)).map((one) => (one as unknown[])[2]);
    expect(times(at({}), at({ stage: 1 }))).toEqual([HOUR, HOUR]);
    expect(times(at({ phase: 'paused' }, canary), at({}, canary))).toEqual([HOUR + minutes(15), HOUR + minutes(15)]);
    expect(times(at({}, canary), at({ stage: 2 }, canary))).toEqual([HOUR, HOUR]);
    const back = impact(at({}, canary), at({ phase: 'aborted' }, canary));
    expect(named(back)).toEqual([['new', 'NewVersion', HOUR]]);
    // What has held its weight for a while has less before it.
    expect(times(view({ replicas: 2 }), at({ weightSince: iso(-60_000) }, canary))).toEqual([
      HOUR + minutes(14),
      HOUR + minutes(14),
    ]);
  });

  it('names what an age, an autoscaler or a failing check is to end', () => {
    const ages = named(impact(view({ replicas: 2 }), view({ replicas: 2, maxAge: '10m', drain: { deadline: '1m' } })));
    expect(ages.map((one) => (one as unknown[])[1])).toEqual(['MaxAge', 'MaxAge']);
    const [first, second] = ages.map((one) => (one as number[])[2] ?? 0).sort((a, b) => a - b);
    expect(first).toBeGreaterThanOrEqual(minutes(8) + minutes(1));
    expect(second).toBeGreaterThanOrEqual((first ?? 0) + minutes(1));

    const scaled = { replicas: 2, autoscale: { sessions: 10 } };
    expect(named(impact(view({ replicas: 2 }), view(scaled)))).toEqual([
      [expect.any(String), 'ScaledDown', 'autoscaler'],
    ]);
    expect(named(impact(view(scaled), view({ ...scaled, autoscale: { sessions: 10, max: 1 } })))).toEqual([
      [expect.any(String), 'ScaledDown', HOUR],
    ]);

    const restarts = { replicas: 2, health: { onUnhealthy: 'restart', restartAfter: '30s' } };
    const ill = { a: 10_000 };
    expect(named(impact(view({ replicas: 2 }), view(restarts), { ill }))).toEqual([['a', 'Unhealthy', 20_000]]);
    expect(impact(view({ replicas: 2 }), view(restarts), { ill: { a: 60_000 } }).endsNow).toBe(1);
    expect(named(impact(view(restarts), view({ ...restarts, probe: { type: 'tcp' } })))).toEqual([
      ['a', 'Unhealthy', 'check'],
      ['b', 'Unhealthy', 'check'],
    ]);
    expect(named(impact(view(restarts), view({ ...restarts, probe: { interval: '1s' } })))).toEqual([]);
  });

  it('names what is no longer run from here, and nothing of what never was', () => {
    const addresses = [{ host: '127.0.0.1', port: 9_000 }];
    expect(named(impact(view({ replicas: 2 }), view({ runtime: 'external', addresses })))).toEqual([
      ['a', 'AddressRemoved', HOUR],
      ['b', 'AddressRemoved', HOUR],
    ]);
    const theirs = two.map((instance): Instance => ({ ...instance, runtime: 'external' }));
    expect(named(impact(view({ runtime: 'external' }, theirs), view({ replicas: 2 }, theirs)))).toEqual([]);
    const gone = {
      ...view(
        { runtime: 'external' },
        theirs.map((one) => ({ ...one, drain })),
      ),
      services: new Map(),
    };
    expect(named(impact(view({ runtime: 'external' }, theirs), gone))).toEqual([]);
  });
});
