import { describe, expect, it } from 'vitest';
import type { Event } from '../model/event.ts';
import { createEventLog, type EventLog } from './events.ts';
import { eventKey, put, remove } from './keys.ts';

function event(n: number, more: Partial<Event> = {}): Event {
  return {
    kind: 'Event',
    id: `id-${String(n).padStart(6, '0')}`,
    at: new Date(n * 1000).toISOString(),
    actor: 'admin',
    action: 'service.update',
    subject: { kind: 'Service', name: 'weather' },
    message: `change ${n}`,
    ...more,
  };
}

function logOf(events: readonly Event[], most = 5_000, keepMs = 1e12): EventLog {
  const log = createEventLog([], { most, keepMs });
  for (const [index, one] of events.entries()) log.add({ revision: index + 1, changes: [put(eventKey(one.id), one)] });
  return log;
}

const ids = (events: readonly Event[]): number[] => events.map(({ id }) => Number(id.slice(3)));
const many = Array.from({ length: 10 }, (_, n) => event(n));

describe('the log of events', () => {
  it('gives pages from the newest back, and goes on after an id, also when that one is gone', () => {
    const log = logOf(many);
    expect(ids(log.list({ limit: 3 }))).toEqual([9, 8, 7]);
    expect(ids(log.list({ limit: 3, before: 'id-000007' }))).toEqual([6, 5, 4]);
    expect(ids(log.list({ limit: 9, before: 'id-000000' }))).toEqual([]);
    expect(ids(log.list({ limit: 9, after: 'id-000007' }))).toEqual([9, 8]);
    expect(ids(log.list({ limit: 9, after: 'id-000007x' }))).toEqual([9, 8]);
    expect(ids(log.list({ limit: 9, before: 'id-000001x' }))).toEqual([1, 0]);
    expect(ids(log.list({ limit: 9, after: 'id-999999' }))).toEqual([]);
    expect(log.list({ limit: 1 })[0]?.revision).toBe(10);
  });

  it.each([
    [{ kind: 'Instance' }, [1]],
    [{ service: 'weather' }, [3, 1, 0]],
    [{ subject: 'weather-a' }, [1]],
    [{ actor: 'controller' }, [1]],
    [{ action: 'instance' }, [1]],
    [{ action: 'inst' }, []],
    [{ since: new Date(2_000).toISOString() }, [3, 2]],
    [{ until: new Date(2_000).toISOString() }, [1, 0]],
    [{ text: 'EVENING' }, [3]],
    [{ service: 'weather', actor: 'admin' }, [3, 0]],
  ])('filters by %j', (filter, expected) => {
    const log = logOf([
      event(0),
      event(1, {
        actor: 'controller',
        action: 'instance.ready',
        subject: { kind: 'Instance', name: 'weather-a', service: 'weather' },
      }),
      event(2, { subject: { kind: 'Service', name: 'maths' } }),
      event(3, { note: 'for the evening' }),
    ]);
    expect(ids(log.list({ limit: 9, ...filter }))).toEqual(expected);
  });

  it('gives up what is too old and what is too many, in batches', () => {
    const lots = Array.from({ length: 350 }, (_, n) => event(n));
    const byCount = logOf(lots, 200);
    let revision = 1_000;
    /** Deletes what is old, as a commit does. */
    const prune = (log: EventLog, now: number): number => {
      const old = log.old(now);
      expect(log.old(now)).toEqual(old);
      revision += 1;
      log.add({ revision, changes: old.map(({ id }) => remove(eventKey(id))) });
      return old.length;
    };
    expect([prune(byCount, 0), prune(byCount, 0)]).toEqual([100, 0]);
    const byAge = logOf(lots, 5_000, 100_000);
    expect([prune(byAge, 330_000), prune(byAge, 330_000), prune(byAge, 330_000)]).toEqual([100, 100, 30]);
    expect(ids(byAge.list({ limit: 500 })).at(-1)).toBe(230);
  });
});
