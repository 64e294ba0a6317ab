import { describe, expect, it } from 'vitest';
import type { Ending, SeenSession, SessionChange } from './session.ts';
import { createSessionTable } from './sessions.ts';

const AGENT = '127.0.0.1:9100';

function session(id: string, upstream = AGENT, isNew = true): SeenSession {
  return {
    told: {
      id,
      gateway: 'g',
      upstream,
      upstreamLocal: '',
      client: '127.0.0.1:5',
      principal: null,
      path: '/',
      userAgent: '',
      startedAt: '2026-01-01T00:00:00.000Z',
      bytesReceived: 0,
      bytesSent: 0,
      route: 'service/weather',
    },
    cluster: 'weather',
    attempts: 1,
    isNew,
  };
}

const ENDING: Ending = {
  endedBy: 'client',
  how: 'ClientClosed',
  why: 'the client closed the connection',
  details: 'DC',
  durationMs: 1_500,
  bytesReceived: 7,
  bytesSent: 8,
};

describe('the table of sessions', () => {
  it('counts what is open, whatever the order of records', () => {
    const table = createSessionTable({ now: () => 0, intervalMs: 1000 });
    for (const id of ['a', 'b', 'b', 'c']) table.upsert(session(id));
    table.upsert(session('d', '127.0.0.1:9200'));
    table.end('c', ENDING);
    table.end('never', ENDING);
    expect(
      [AGENT, '127.0.0.1:9200', '127.0.0.1:9300'].map((upstream) => table.counts().at('weather', upstream)),
    ).toEqual([2, 1, 0]);
    expect(table.counts().total).toBe(3);
  });

  it('forgets what was not heard of for three intervals', () => {
    let now = 0;
    const table = createSessionTable({ now: () => now, intervalMs: 1000 });
    table.upsert(session('a'));
    table.upsert(session('b'));
    now = 2500;
    table.upsert(session('b'));
    now = 3500;
    table.expire();
    expect(table.list().map((one) => one.id)).toEqual(['b']);
  });

  it('is settled only when every gateway has had time to tell what it holds', () => {
    let now = 0;
    const table = createSessionTable({ now: () => now, intervalMs: 1000 });
    expect(table.counts().settled).toBe(false);
    table.gatewayConnected('g', 'p1', true);
    expect(table.counts().settled).toBe(true);
    table.gatewayConnected('h', 'p2', false);
    expect(table.counts().settled).toBe(false);
    now = 1200;
    expect(table.counts().settled).toBe(true);
    table.gatewayLost('h');
    expect(table.counts().settled).toBe(false);
    table.gatewayGone('h');
    expect(table.counts().settled).toBe(true);
  });

  it('drops the sessions of a gateway that was replaced by another process', () => {
    const table = createSessionTable({ now: () => 0, intervalMs: 1000 });
    table.gatewayConnected('g', 'p1', true);
    table.upsert(session('a'));
    table.gatewayConnected('g', 'p1', false);
    expect(table.counts().total).toBe(1);
    table.gatewayConnected('g', 'p2', true);
    expect(table.counts().total).toBe(0);
  });

  it("takes the gateways' own count when records were lost, and finds its way back", () => {
    let now = 0;
    const table = createSessionTable({ now: () => now, intervalMs: 1000 });
    for (const id of ['a', 'b', 'c']) table.upsert(session(id));
    // One more opened and one ended while no record came through.
    for (let round = 0; round < 3; round += 1) table.reported(new Map([[AGENT, 4]]));
    expect(table.counts()).toMatchObject({ total: 4, unlisted: 1 });
    expect(table.openAt('weather', AGENT)).toBe(4);
    table.upsert(session('d', AGENT, false));
    expect(table.counts()).toMatchObject({ total: 4, unlisted: 0 });
    table.reported(new Map([[AGENT, 4]]));
    now = 1_100;
    for (const id of ['b', 'c', 'd']) expect(table.heard(id, AGENT, 1, 1)).toBe(true);
    now = 3_100;
    table.expire();
    expect(table.list().map((one) => one.id)).toEqual(['b', 'c', 'd']);
    expect(table.counts()).toMatchObject({ total: 3, unlisted: 0 });
    table.reported(undefined);
    expect(table.counts()).toMatchObject({ total: 3, unlisted: 0 });
  });

  it('tells of what has probably ended while nobody was there, and counts on none of it', () => {
    let now = 0;
    const table = createSessionTable({ now: () => now, intervalMs: 1000 });
    const before = ['a', 'b', 'c', 'd'].map((id) => ({
      ...session(id).told,
      service: 'weather',
      version: 1,
      instance: 'w',
      policy: null,
      reason: '',
    }));
    table.restore('g', 'p', before, true);
    table.gatewayConnected('g', 'p', false);
    // Two of them are gone, and one has come.
    table.upsert(session('e', AGENT, false));
    table.reported(new Map([[AGENT, 3]]));
    expect(table.counts()).toMatchObject({ total: 5, settled: false });
    table.counted('g', 3);
    expect(table.counts().total).toBe(3);
    expect([table.counts().shownAt('weather', AGENT), table.counts().at('weather', AGENT)]).toEqual([3, 5]);
    expect([table.likely().length, table.list().length]).toEqual([3, 5]);
    for (const id of ['c', 'd', 'e']) table.heard(id, AGENT, 1, 1);
    expect(table.likely().map(({ id }) => id)).toEqual(['c', 'd', 'e']);
    now = 1_300;
    table.expire();
    expect(table.list().map(({ id }) => id)).toEqual(['c', 'd', 'e']);
    expect(table.counts()).toMatchObject({ total: 3, settled: true });
  });

  it('never takes an instance for empty because a gateway counts anew', () => {
    let now = 0;
    const table = createSessionTable({ now: () => now, intervalMs: 1000 });
    for (const id of ['a', 'b']) table.upsert(session(id));
    table.reported(new Map([[AGENT, 2]]));
    // As after a change of the cluster: the sessions are open, and Envoy's count of them has begun at zero.
    for (let round = 0; round < 5; round += 1) table.reported(new Map());
    now = 2_500;
    table.expire();
    expect(table.openAt('weather', AGENT)).toBe(2);
    expect(table.counts()).toMatchObject({ total: 2, unlisted: 0 });
    expect(table.counts().at('weather', AGENT)).toBe(2);
  });

  it('drops what it does not hear of for three intervals', () => {
    let now = 0;
    const table = createSessionTable({ now: () => now, intervalMs: 1000 });
    table.upsert(session('a'));
    now = 3_000;
    table.expire();
    expect(table.counts().total).toBe(1);
    now = 3_001;
    table.expire();
    expect(table.counts().total).toBe(0);
    expect(table.ended()[0]).toMatchObject({ id: 'a', endedBy: 'unknown' });
  });

  it('tells of each session, where it was placed, and how it ended', () => {
    const table = createSessionTable({
      now: () => 0,
      intervalMs: 1000,
      wallClock: () => Date.parse('2026-01-01T00:00:02.000Z'),
      describe: ({ cluster }) => ({ service: cluster, version: 3, instance: 'w-1', policy: 'p', reason: 'because' }),
    });
    const told: SessionChange[] = [];
    table.watch((change) => told.push(change));
    table.upsert(session('a'));
    table.upsert(session('a'));
    table.end('a', ENDING);
    expect(told.map((change) => change.type)).toEqual(['opened', 'ended']);
    expect(told[1]?.session).toMatchObject({
      service: 'weather',
      version: 3,
      instance: 'w-1',
      reason: 'because',
      durationMs: 1_500,
      bytesReceived: 7,
      why: 'the client closed the connection',
      endedAt: '2026-01-01T00:00:02.000Z',
    });
    expect(table.get('a')).toBe(told[1]?.session);
  });
});
