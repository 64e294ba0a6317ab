import { describe, expect, it } from 'vitest';
import { makeInstance, makeService, makeView } from './testing.ts';
import { fixedId, plan, type PlanAction } from './plan.ts';

const none = (): number => 0;

function told(actions: readonly PlanAction[]): string[] {
  return actions.map((action) =>
    action.do === 'create'
      ? 'create'
      : action.do === 'create-fixed'
        ? `create ${action.id}`
        : `${action.do} ${action.instance.id}`,
  );
}

describe('plan', () => {
  it('creates what is missing and nothing more', () => {
    const service = makeService({ replicas: 3 });
    expect(told(plan(makeView(service, []), none))).toEqual(['create', 'create', 'create']);
    const three = [1, 2, 3].map((n) => makeInstance({ id: `a-${n}`, state: 'pending' }));
    expect(plan(makeView(service, three), none)).toEqual([]);
  });

  it('drains those with the fewest sessions when scaled down, idle ones first', () => {
    const service = makeService({ replicas: 1 });
    const instances = [
      makeInstance({ id: 'busy' }),
      makeInstance({ id: 'quiet' }),
      makeInstance({ id: 'broken', state: 'backoff' }),
    ];
    const sessions = (instance: { id: string }): number => (instance.id === 'busy' ? 5 : 1);
    expect(told(plan(makeView(service, instances), sessions))).toEqual(['drain broken', 'drain quiet']);
  });

  it('replaces one by one, new before old, and never falls below what is wanted', () => {
    const service = makeService({ replicas: 2 }, 2);
    const old = ['o1', 'o2'].map((id) => makeInstance({ id, version: 1 }));
    expect(told(plan(makeView(service, old), none))).toEqual(['create']);
    const starting = makeInstance({ id: 'n1', version: 2, state: 'starting' });
    expect(told(plan(makeView(service, [...old, starting]), none))).toEqual([]);
    const ready = makeInstance({ id: 'n1', version: 2 });
    expect(told(plan(makeView(service, [...old, ready]), none))).toEqual(['drain o1']);
  });

  it('creates the next as soon as an old one is draining', () => {
    const service = makeService({ replicas: 2 }, 2);
    const drain = {
      reason: 'NewVersion',
      since: '2026-01-01T00:00:00.000Z',
      deadline: '2026-01-01T01:00:00.000Z',
      stopGrace: '30s',
    };
    const instances = [
      makeInstance({ id: 'o1', version: 1, drain, state: 'draining' }),
      makeInstance({ id: 'o2', version: 1 }),
      makeInstance({ id: 'n1', version: 2 }),
    ];
    expect(told(plan(makeView(service, instances), none))).toEqual(['create']);
  });

  it('keeps the old version while the new one does not become ready', () => {
    const service = makeService({ replicas: 1 }, 2);
    const instances = [
      makeInstance({ id: 'o1', version: 1 }),
      makeInstance({ id: 'n1', version: 2, state: 'backoff' }),
    ];
    expect(plan(makeView(service, instances), none)).toEqual([]);
  });

  it('replaces an old instance that does not serve at once', () => {
    const service = makeService({ replicas: 1 }, 2);
    expect(told(plan(makeView(service, [makeInstance({ id: 'o1', version: 1, state: 'failed' })]), none))).toEqual([
      'create',
      'drain o1',
    ]);
  });

  it('drains all of a stopped service', () => {
    const service = makeService({ replicas: 2, enabled: false });
    expect(told(plan(makeView(service, [makeInstance({ id: 'a' }), makeInstance({ id: 'b' })]), none))).toEqual([
      'drain a',
      'drain b',
    ]);
  });

  it('follows the fixed addresses of an external service and leaves registered instances alone', () => {
    const service = makeService({ runtime: 'external', addresses: [{ host: '127.0.0.1', port: 7001 }] });
    const gone = makeInstance({ id: fixedId('weather', '127.0.0.1', 7002), runtime: 'external' });
    const registered = makeInstance({
      id: 'self',
      runtime: 'external',
      lease: { name: 'instance/self', token: 1, ttlMs: 1000 },
    });
    expect(told(plan(makeView(service, [gone, registered]), none))).toEqual([
      `create ${fixedId('weather', '127.0.0.1', 7001)}`,
      `drain ${gone.id}`,
    ]);
  });

  it('drains what belongs to no service', () => {
    const view = { ...makeView(makeService({}), [makeInstance({ id: 'a' })]), services: new Map() };
    expect(told(plan(view, none))).toEqual(['drain a']);
  });
});
