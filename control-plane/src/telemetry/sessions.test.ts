import { describe, expect, it } from 'vitest';
import type { Session } from './session.ts';
import { createSessionTable } from './sessions.ts';

function session(id: string, upstream = '127.0.0.1:9100', gateway = 'g'): Session {
  return {
    id,
    gateway,
    service: 'weather',
    upstream,
    client: '127.0.0.1:5',
    path: '/',
    userAgent: '',
    startedAt: '',
    bytesReceived: 0,
    bytesSent: 0,
  };
}

describe('the table of sessions', () => {
  it('counts what is open, whatever the order of records', () => {
    const table = createSessionTable({ now: () => 0, intervalMs: 1000 });
    for (const id of ['a', 'b', 'b', 'c']) table.upsert(session(id));
    table.upsert(session('d', '127.0.0.1:9200'));
    table.end('c');
    table.end('never');
    expect([...table.counts().byUpstream]).toEqual([
      ['127.0.0.1:9100', 2],
      ['127.0.0.1:9200', 1],
    ]);
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
});
