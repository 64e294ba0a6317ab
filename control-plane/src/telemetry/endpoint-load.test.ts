import { describe, expect, it } from 'vitest';
import { createAgentReports } from './agent-reports.ts';
import { createEndpointLoad } from './endpoint-load.ts';

const A = '127.0.0.1:9100';

const [g, h] = [Symbol('g'), Symbol('h')];

describe('load reports of the gateways', () => {
  it('add up over gateways, and say nothing once one is late', () => {
    let now = 0;
    const load = createEndpointLoad({ now: () => now });
    expect(load.open()).toBeUndefined();
    load.report(g, new Map([[A, { open: 3, issued: 3, failed: 0 }]]));
    load.report(h, new Map([[A, { open: 2, issued: 2, failed: 1 }]]));
    expect(load.open()?.get(A)).toBe(5);
    expect(load.errorRate(A)).toBeCloseTo(0.2);
    now = 4_000;
    load.report(g, new Map());
    expect(load.open()).toBeUndefined();
    load.lost(h);
    expect(load.open()?.get(A)).toBeUndefined();
  });

  it('let the error rate fade', () => {
    let now = 0;
    const load = createEndpointLoad({ now: () => now });
    load.report(g, new Map([[A, { open: 0, issued: 10, failed: 10 }]]));
    now = 30_000;
    load.report(g, new Map([[A, { open: 0, issued: 10, failed: 0 }]]));
    expect(load.errorRate(A)).toBeCloseTo(0.27, 1);
    now = 3_000_000;
    expect(load.errorRate(A)).toBeUndefined();
  });
});

describe('reports of agents', () => {
  it('count for a minute, also when the clock jumps, and tell of a changed status', () => {
    let now = 1_000_000;
    const told: string[] = [];
    const reports = createAgentReports({ now: () => now });
    reports.subscribe((instance) => told.push(instance));
    reports.put('a', { load: 0.2, status: 'ok', message: '' });
    expect(told).toEqual([]);
    reports.put('a', { load: 0.9, status: 'full', message: '' });
    expect(told).toEqual(['a']);
    now -= 3_600_000;
    expect(reports.get('a')).toBeUndefined();
    reports.expire(() => true);
    expect(told).toEqual(['a', 'a']);
  });
});
