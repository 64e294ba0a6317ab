import { describe, expect, it } from 'vitest';
import type { Rollout } from '../model/rollout.ts';
import { makeInstance, makeRollout, makeService, makeView, withRollout } from './testing.ts';
import { fixedId } from './addresses.ts';
import { plan, type PlanAction } from './plan.ts';

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

describe('plan during a rollout', () => {
  const canary = (fields: Partial<Rollout> = {}): Rollout =>
    makeRollout({ strategy: 'canary', steps: [{ weight: 25 }] }, fields);
  const old = ['o1', 'o2', 'o3', 'o4'].map((id) => makeInstance({ id, version: 1 }));
  const service = makeService({ replicas: 4 }, 2);
  const versions = (actions: readonly PlanAction[]): string[] =>
    actions.map((action) => (action.do === 'create' ? `create v${action.version}` : told([action])[0])).map(String);

  it('keeps all old instances beside the share of new ones that the stage wants', () => {
    expect(versions(plan(withRollout(makeView(service, old), canary()), none))).toEqual(['create v2']);
    const one = makeInstance({ id: 'n1', version: 2 });
    expect(plan(withRollout(makeView(service, [...old, one]), canary()), none)).toEqual([]);
    const later = canary({ stage: 1 });
    expect(versions(plan(withRollout(makeView(service, [...old, one]), later), none))).toEqual(
      Array(3).fill('create v2'),
    );
  });

  it('drains the new ones once it is aborted, and replaces what the old version lacks', () => {
    const one = makeInstance({ id: 'n1', version: 2 });
    const view = withRollout(makeView(service, [...old, one]), canary({ phase: 'aborted' }));
    expect(versions(plan(view, none))).toEqual(['drain n1']);
    const fewer = withRollout(makeView(service, old.slice(1)), canary({ phase: 'aborted' }));
    expect(versions(plan(fewer, none))).toEqual(['create v1']);
  });

  it('drains the old ones once it is completed and the new ones are ready', () => {
    const fresh = ['n1', 'n2', 'n3', 'n4'].map((id) => makeInstance({ id, version: 2 }));
    const view = withRollout(makeView(service, [...old, ...fresh]), canary({ phase: 'completed' }));
    expect(versions(plan(view, none))).toEqual(['drain o1', 'drain o2', 'drain o3', 'drain o4']);
  });

  it('goes from an unfinished version straight to the next, and never below what is wanted', () => {
    const third = makeService({ replicas: 4 }, 3);
    const mixed = [...old.slice(0, 2), ...['n1', 'n2'].map((id) => makeInstance({ id, version: 2 }))];
    const view = withRollout(makeView(third, mixed), canary({ from: 1, to: 3, number: 2 }));
    // The old version is brought back to all it had; what belongs to neither goes as that gets ready.
    expect(versions(plan(view, none))).toEqual(['create v1', 'create v3']);
  });

  it('recreates: nothing new before all that is old has gone', () => {
    const recreate = makeRollout({ strategy: 'recreate' });
    expect(versions(plan(withRollout(makeView(service, old), recreate), none))).toEqual([
      'drain o1',
      'drain o2',
      'drain o3',
      'drain o4',
    ]);
    const drain = { reason: 'x', since: '', deadline: '2026-01-01T01:00:00.000Z', stopGrace: '30s' };
    const leaving = [makeInstance({ id: 'o1', version: 1, drain, state: 'draining' })];
    expect(plan(withRollout(makeView(service, leaving), recreate), none)).toEqual([]);
    expect(versions(plan(withRollout(makeView(service, []), recreate), none))).toEqual(Array(4).fill('create v2'));
  });

  it('honours surge and unavailable', () => {
    const none4 = withRollout(
      makeView(service, old),
      makeRollout({ strategy: 'rolling', surge: 0, unavailable: '50%' }),
    );
    expect(versions(plan(none4, none))).toEqual(['drain o1', 'drain o2']);
    const surging = withRollout(makeView(service, old), makeRollout({ strategy: 'rolling', surge: 3 }));
    expect(versions(plan(surging, none))).toEqual(Array(3).fill('create v2'));
  });
});
