import { describe, expect, it } from 'vitest';
import type { Instance } from '../model/instance.ts';
import type { Rollout } from '../model/rollout.ts';
import type { RegistryView } from '../registry/registry.ts';
import { emptyView } from '../registry/view.ts';
import { emptyingBy } from './emptying.ts';
import { rolloutView, type Seen } from './rollout-view.ts';
import type { Observed } from './views.ts';

const NOW = Date.parse('2026-01-01T12:00:00.000Z');
const ago = (ms: number): string => new Date(NOW - ms).toISOString();

/** Version 1 has `old`, version 2 an instance that takes sessions; an hour of ended sessions of 1 to 100 s. */
function seenWith(ages: readonly number[], lengths = 100): Seen {
  const sessions = ages.map((age) => ({ instance: 'old', startedAt: ago(age) }));
  const ended = Array.from({ length: lengths }, (_, n) => ({ service: 'weather', durationMs: (n + 1) * 1_000 }));
  const counts = { shownAt: () => ages.length };
  return {
    observed: { counts } as unknown as Observed,
    emptying: emptyingBy({
      now: () => NOW,
      sessions: () => sessions as never,
      endedSessions: () => ended as never,
    }),
    now: NOW,
  };
}

function versionOne(drain: Instance['drain'], seen: Seen, rollout: Partial<Rollout> = {}) {
  const instance = (id: string, version: number, more: object) => ({
    value: { id, service: 'weather', version, state: 'ready', address: { host: '127.0.0.1', port: version }, ...more },
    revision: 1,
  });
  const view = {
    ...emptyView,
    instances: new Map([
      ['old', instance('old', 1, drain === undefined ? {} : { drain })],
      ['new', instance('new', 2, {})],
    ]),
  } as unknown as RegistryView;
  const value = {
    service: 'weather',
    from: 1,
    to: 2,
    phase: 'completed',
    strategy: { strategy: 'rolling' },
    ...rollout,
  };
  return rolloutView({ value: value as unknown as Rollout, revision: 1 }, view, seen).versions;
}

const drain = (deadlineMs: number, policy?: 'wait'): Instance['drain'] => ({
  reason: 'Replaced',
  since: ago(0),
  deadline: ago(-deadlineMs),
  stopGrace: '30s',
  ...(policy === undefined ? {} : { policy }),
});

describe('when the old version will be empty', () => {
  it('is estimated from the lengths of sessions, but not later than its drain ends', () => {
    expect(versionOne(drain(3_600_000), seenWith([0, 20_000]))[0]).toMatchObject({
      sessions: 2,
      receiving: false,
      estimateMs: 51_000,
      estimateReason: 'by the lengths of 100 sessions that ended lately',
    });
    expect(versionOne(drain(5_000), seenWith([0]))[0]).toMatchObject({
      estimateMs: 5_000,
      estimateReason: 'by the deadline of its drain, which ends what is open then',
    });
    expect(versionOne(drain(-1), seenWith([0]))[0]?.estimateMs).toBe(0);
  });

  it('is unknown where nothing tells, and zero where nothing is open', () => {
    expect(versionOne(drain(60_000, 'wait'), seenWith([0], 3))[0]).toMatchObject({
      estimateMs: null,
      estimateReason: 'only 3 sessions have ended lately: too few to tell',
    });
    expect(versionOne(drain(60_000, 'wait'), seenWith([]))[0]).toMatchObject({ estimateMs: 0 });
  });

  it('is not asked of a version that gets new sessions', () => {
    const [old, fresh] = versionOne(undefined, seenWith([0]));
    for (const one of [old, fresh])
      expect(one).toMatchObject({ receiving: true, estimateMs: null, estimateReason: 'it gets new sessions' });
    // A canary that has all new sessions while the old version still runs in full.
    const canary = {
      phase: 'progressing',
      weight: 100,
      strategy: { strategy: 'canary', steps: [] },
    } as unknown as Rollout;
    expect(versionOne(undefined, seenWith([0]), canary)[0]).toMatchObject({
      weight: 0,
      receiving: false,
      estimateMs: 51_000,
    });
  });
});
