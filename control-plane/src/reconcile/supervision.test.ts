/** What paces, holds back and replaces instances. */
import { describe, expect, it } from 'vitest';
import { dependencyIssues } from '../registry/dependencies.ts';
import { overAge } from './age.ts';
import { createWaitsFor } from './dependencies.ts';
import { runtimeIsAway, runtimeIsBack } from './reachability.ts';
import { createStartGate } from './start-gate.ts';
import { T0, makeInstance, makeService, makeView } from './testing.ts';

const HOUR = 3_600_000;

describe('dependencies', () => {
  const named = (name: string, dependsOn: string[]) => ({ ...makeService({ dependsOn }), name });

  it('that lead nowhere or in a circle are refused with the place and the way', () => {
    const view = makeView(named('a', ['b']), []);
    expect(dependencyIssues(view, [named('b', [])]).size).toBe(0);
    expect(dependencyIssues(view, [named('b', ['a'])]).get('b')).toEqual([
      { path: 'spec.dependsOn.0', message: 'leads in a circle: b -> a -> b' },
    ]);
    expect(dependencyIssues(view, [named('c', ['a', 'nobody'])]).get('c')).toEqual([
      { path: 'spec.dependsOn.1', message: 'there is no service nobody' },
    ]);
    expect(dependencyIssues(view, [named('d', ['d'])]).get('d')?.[0]?.message).toBe('leads in a circle: d -> d');
  });

  it('hold an instance back until each has a ready instance', () => {
    const base = makeView(named('front', ['weather']), []);
    const withBack = (spec: object, instances: Parameters<typeof makeView>[1]) => ({
      ...makeView(makeService({ ...spec }), instances),
      services: new Map([...base.services, ['weather', { value: makeService({ ...spec }), revision: 1 }]]),
    });
    const waits = (spec: object, instances: Parameters<typeof makeView>[1]) =>
      createWaitsFor(withBack(spec, instances))('front');
    expect(waits({}, [makeInstance({ id: 'w', state: 'starting' })])).toBe(
      'waits for service weather to have a ready instance',
    );
    expect(waits({ enabled: false }, [])).toBe('waits for service weather, which is stopped');
    expect(waits({}, [makeInstance({ id: 'w' })])).toBeUndefined();
  });
});

describe('the start gate', () => {
  it('lets so many start at once, spaced over all and over one service', () => {
    let now = T0;
    const gate = createStartGate({ atOnce: 3, spacingMs: 10, serviceSpacingMs: 50 }, () => now);
    gate.look([], () => false);
    expect(gate.ask('a')).toBe(0);
    expect(gate.ask('b')).toBe(T0 + 10);
    now += 10;
    expect(gate.ask('a')).toBe(T0 + 50);
    expect(gate.ask('b')).toBe(0);
    now += 50;
    expect(gate.ask('a')).toBe(0);
    now += 50;
    expect(gate.ask('c')).toBe(now + 100);
    const started = makeInstance({ id: 'x', state: 'starting', since: new Date(now).toISOString() });
    gate.look([started], () => false);
    expect(gate.ask('c')).toBe(0);
    // The clock is set back by an hour.
    now -= HOUR;
    gate.look([], () => false);
    expect(gate.ask('c')).toBe(0);
  });

  it('does not wait for those that never get ready', () => {
    const gate = createStartGate({ atOnce: 1, spacingMs: 0, serviceSpacingMs: 0 }, () => T0 + 20_000);
    gate.look([makeInstance({ id: 'x', state: 'starting' })], () => false);
    expect(gate.ask('a')).toBe(0);
  });
});

describe('the greatest age', () => {
  const aged = (id: string, more: object = {}) => makeInstance({ id, startedAt: new Date(T0).toISOString(), ...more });
  const service = makeService({ maxAge: '10h', replicas: 3 });

  it('replaces one at a time, each at its own age, and none that is too young', () => {
    const view = makeView(service, [aged('a'), aged('b'), aged('c')]);
    expect(overAge(view, T0 + 7 * HOUR)).toEqual([]);
    const due = overAge(view, T0 + 10 * HOUR);
    expect(due).toHaveLength(1);
    expect(due[0]).toMatchObject({ op: 'update', patch: { replace: { reason: 'MaxAge' } } });
    const times = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => {
      for (let at = T0 + 8 * HOUR; ; at += 60_000) if (overAge(makeView(service, [aged(id)]), at).length > 0) return at;
    });
    expect(new Set(times).size).toBe(6);
    expect(Math.max(...times)).toBeLessThanOrEqual(T0 + 10 * HOUR);
  });

  it('waits while the service is not whole, or as many are leaving as may', () => {
    const late = T0 + 20 * HOUR;
    const drain = { reason: 'MaxAge', since: '', deadline: '', stopGrace: '30s' };
    expect(overAge(makeView(service, [aged('a'), aged('b', { state: 'starting' })]), late)).toEqual([]);
    expect(overAge(makeView(service, [aged('a'), aged('b', { replace: { reason: 'MaxAge', at: '' } })]), late)).toEqual(
      [],
    );
    expect(overAge(makeView(service, [aged('a'), aged('b', { drain })]), late)).toEqual([]);
  });
});

describe('a runtime that is away', () => {
  it('is a condition on its instances, once, and their state stays', () => {
    const view = makeView(makeService({}), [makeInstance({ id: 'a' }), makeInstance({ id: 'b', runtime: 'other' })]);
    const writes = runtimeIsAway(view, 'process', 'no engine', T0);
    expect(writes).toMatchObject([
      { id: 'a', patch: { conditions: [{ type: 'RuntimeReachable', status: 'false', message: 'no engine' }] } },
    ]);
    const [write] = writes;
    const conditions = write?.op === 'update' ? (write.patch.conditions ?? []) : [];
    const after = makeView(makeService({}), [makeInstance({ id: 'a', conditions })]);
    expect(runtimeIsAway(after, 'process', 'no engine', T0)).toEqual([]);
    expect(runtimeIsBack(after, 'process')).toMatchObject([{ id: 'a', patch: { conditions: [] } }]);
    expect(runtimeIsBack(view, 'process')).toEqual([]);
  });
});
