import { describe, expect, it } from 'vitest';
import type { HeldLoadReport } from '../model/load.ts';
import { Probe } from '../model/probe.ts';
import type { ProbeLevel, ProbeResult } from '../probes/probe.ts';
import { checkReport, newCheckState, noteResult, type CheckState } from './check-state.ts';
import { judge, levelsOf, type Evidence } from './verdict.ts';

const OK: ProbeResult = { ok: true, latencyMs: 2, reason: 'fine' };
const bad = (reason: string, failedAt: ProbeLevel = 'websocket'): ProbeResult => ({
  ok: false,
  latencyMs: 9,
  reason,
  failedAt,
});

function checked(
  results: readonly ProbeResult[],
  {
    name = 'probe',
    effect = 'unhealthy',
    level = 'websocket',
    failures = 3,
  }: { name?: string; effect?: 'unhealthy' | 'degraded'; level?: ProbeLevel; failures?: number } = {},
): CheckState {
  const state = newCheckState({ name, effect, probe: Probe.parse({ failures, successes: 2 }) }, level);
  for (const [index, result] of results.entries()) noteResult(state, result, index * 1_000, false);
  return state;
}

function evidence(checks: readonly CheckState[], more: Partial<Evidence> = {}): Evidence {
  return { checks, stopped: undefined, processSeenAt: undefined, gateway: undefined, reported: undefined, ...more };
}

const report = (status: HeldLoadReport['status']): HeldLoadReport => ({ load: 1, status, message: 'm', at: '' });

describe('a check', () => {
  it('has hysteresis both ways, and keeps its last twenty results', () => {
    const state = checked([OK]);
    expect(state.verdict).toBe('unknown');
    noteResult(state, OK, 1, false);
    expect(state.verdict).toBe('healthy');
    for (let n = 0; n < 2; n += 1) noteResult(state, bad('x'), 2, false);
    expect(state.verdict).toBe('healthy');
    noteResult(state, OK, 3, false);
    for (let n = 0; n < 3; n += 1) noteResult(state, bad('x'), 4, false);
    expect(state.verdict).toBe('unhealthy');
    noteResult(state, OK, 5, false);
    expect(state.verdict).toBe('unhealthy');
    for (let n = 0; n < 50; n += 1) noteResult(state, OK, 6 + n, false);
    const { history } = checkReport(state);
    expect(history).toHaveLength(20);
    expect(history[0]?.at).toBe(new Date(55).toISOString());
  });

  it('needs one failure only when something else has told of trouble', () => {
    const state = checked([OK, OK]);
    expect(noteResult(state, bad('hangs'), 3, true)).toBe(true);
    expect(state.verdict).toBe('unhealthy');
  });
});

describe('the verdict', () => {
  const well = checked([OK, OK]);
  const ill = checked([OK, OK, bad('HTTP 503'), bad('HTTP 503'), bad('HTTP 503')]);

  it.each([
    ['nothing known', evidence([checked([])]), 'unknown', 'not checked yet'],
    ['well', evidence([well]), 'healthy', 'fine'],
    ['the probe fails', evidence([ill]), 'unhealthy', 'HTTP 503'],
    ['stopped', evidence([well], { stopped: 'process 7 is stopped by a signal' }), 'unhealthy', 'process 7'],
    [
      'a further check fails',
      evidence([well, checked([bad('a'), bad('b'), bad('c')], { name: 'deep' })]),
      'unhealthy',
      'check deep: c',
    ],
    [
      'a further check that only degrades',
      evidence([well, checked([bad('a'), bad('b'), bad('c')], { name: 'slow', effect: 'degraded' })]),
      'degraded',
      'check slow: c',
    ],
    [
      'the gateway finds it ill',
      evidence([well], { gateway: { state: 'failed', reason: 'its own', at: '' } }),
      'degraded',
      'its own',
    ],
    ['full', evidence([well], { reported: report('full') }), 'degraded', 'says that it is full: m'],
    [
      'it says so itself',
      evidence([well], { reported: report('unhealthy') }),
      'unhealthy',
      'says that it is unhealthy',
    ],
    ['worst first', evidence([ill], { reported: report('full') }), 'unhealthy', 'HTTP 503'],
  ] as const)('%s', (_name, given, verdict, reason) => {
    const found = judge(given);
    expect(found.verdict).toBe(verdict);
    expect(found.reason).toContain(reason);
  });
});

describe('levels', () => {
  const states = (given: Evidence): Record<string, string> =>
    Object.fromEntries(levelsOf(given).map(({ level, state }) => [level, state]));

  it('one check that goes far up tells of all below it', () => {
    expect(states(evidence([checked([OK], { level: 'application' })]))).toEqual({
      process: 'off',
      tcp: 'ok',
      http: 'ok',
      websocket: 'ok',
      application: 'ok',
      gateway: 'unknown',
      agent: 'off',
    });
  });

  it('a failure says where it came to an end', () => {
    const found = states(
      evidence([checked([bad('no greeting', 'websocket')], { level: 'application' })], {
        processSeenAt: '2026-01-01T00:00:00.000Z',
        reported: report('full'),
        gateway: { state: 'ok', reason: '', at: '' },
      }),
    );
    expect(found).toEqual({
      process: 'ok',
      tcp: 'ok',
      http: 'ok',
      websocket: 'failed',
      application: 'unknown',
      gateway: 'ok',
      agent: 'degraded',
    });
    expect(states(evidence([checked([bad('refused', 'tcp')])]))).toMatchObject({ tcp: 'failed', http: 'unknown' });
  });

  it('the check that looks exactly at a level knows best', () => {
    const deep = checked([OK], { level: 'application' });
    const http = checked([bad('GET /healthz answered 500', 'http')], { name: 'http', level: 'http' });
    const found = levelsOf(evidence([deep, http]));
    expect(found.find((one) => one.level === 'http')).toMatchObject({ state: 'failed', source: 'http' });
    expect(found.find((one) => one.level === 'websocket')).toMatchObject({ state: 'ok', source: 'probe' });
  });
});
