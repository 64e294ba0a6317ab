import type { FailureReason } from '../model/reasons.ts';
import { describe, expect, it } from 'vitest';
import { HealthRules } from '../model/health.ts';
import { Probe } from '../model/probe.ts';
import { Restart } from '../model/service.ts';
import { afterFailure, describeExit } from './failure.ts';
import { createFleetBuilder } from './fleet.ts';
import { nextStep, type Facts } from './lifecycle.ts';
import { T0, makeInstance, makeService, makeView } from './testing.ts';

const restart = Restart.parse({});
const facts: Facts = {
  now: T0 + 5_000,
  wokeAt: 0,
  random: 0.5,
  healthy: false,
  unhealthyFor: undefined,
  health: undefined,
  healthReason: () => 'refused',
  sessions: () => 0,
  drainAcked: () => true,
  missing: () => undefined,
  waitsFor: () => undefined,
  probe: Probe.parse({}),
  restart,
};
const drain = {
  reason: 'ScaledDown',
  since: new Date(T0).toISOString(),
  deadline: new Date(T0 + 60_000).toISOString(),
  stopGrace: '7s',
};

describe('nextStep', () => {
  it('starts a pending instance and makes it ready when its probe passes', () => {
    expect(nextStep(makeInstance({ id: 'a', state: 'pending' }), facts).do).toBe('start');
    const step = nextStep(makeInstance({ id: 'a', state: 'starting' }), {
      ...facts,
      healthy: true,
      healthReason: () => 'system.connected',
    });
    expect(step).toMatchObject({ do: 'write', patch: { state: 'ready', message: 'system.connected' } });
  });

  it('does not try what is known to fail, says what to do, and starts once it is there', () => {
    const lacking = { ...facts, missing: () => 'spec.launch.env.KEY: there is no KEY: set it' };
    const [first, failed] = [
      nextStep(makeInstance({ id: 'a', state: 'pending' }), lacking),
      { id: 'a', state: 'failed' as const },
    ];
    const message =
      'can not be started: spec.launch.env.KEY: there is no KEY: set it; it starts by itself once that is there';
    expect(first).toMatchObject({ do: 'write', patch: { state: 'failed', reason: 'Missing', message } });
    const waiting = makeInstance({ ...failed, reason: 'Missing', message });
    expect(nextStep(waiting, lacking)).toEqual({ do: 'wait', until: T0 + 6_000 });
    expect(nextStep(waiting, { ...facts, missing: () => 'something else' })).toMatchObject({ do: 'write' });
    expect(nextStep(waiting, facts)).toMatchObject({ do: 'write', patch: { state: 'pending' } });
    // A crash loop waits for a person.
    expect(nextStep(makeInstance({ ...failed, reason: 'CrashLoop' }), facts)).toEqual({ do: 'wait' });
  });

  it('knows that an external instance does not answer, and takes it when it does', () => {
    const unknown = makeInstance({ id: 'a', runtime: 'external', state: 'unknown' });
    expect(nextStep(unknown, facts)).toEqual({ do: 'wait' });
    expect(nextStep(unknown, { ...facts, unhealthyFor: 0 })).toMatchObject({
      do: 'write',
      patch: { state: 'failed', reason: 'ProbeFailed', message: 'does not pass its probe: refused' },
    });
    const failed = makeInstance({ id: 'a', runtime: 'external', state: 'failed', reason: 'ProbeFailed' });
    expect(nextStep(failed, { ...facts, unhealthyFor: 9_000 })).toEqual({ do: 'wait' });
    expect(nextStep(failed, { ...facts, healthy: true })).toMatchObject({ do: 'write', patch: { state: 'ready' } });
  });

  it('fails a start that takes too long, and says what the probe saw', () => {
    const step = nextStep(makeInstance({ id: 'a', state: 'starting' }), { ...facts, now: T0 + 60_000 });
    expect(step).toMatchObject({ do: 'fail', patch: { state: 'backoff' } });
    expect(JSON.stringify(step)).toContain('was not ready within 60s: refused');
  });

  it('gives a start its whole time after a standstill, in which nobody could see it become ready', () => {
    const starting = makeInstance({ id: 'a', state: 'starting' });
    const later = { ...facts, now: T0 + 600_000, wokeAt: T0 + 590_000 };
    expect(nextStep(starting, later)).toEqual({ do: 'wait', until: T0 + 650_000 });
  });

  it('retries after its backoff', () => {
    const instance = makeInstance({ id: 'a', state: 'backoff', retryAt: new Date(T0 + 6_000).toISOString() });
    expect(nextStep(instance, facts)).toEqual({ do: 'wait', until: T0 + 6_000 });
    expect(nextStep(instance, { ...facts, now: T0 + 6_000 })).toMatchObject({
      do: 'write',
      patch: { state: 'pending', restarts: 1 },
    });
  });

  it('drains before it stops: only an acknowledged drain with no session ends early', () => {
    expect(nextStep(makeInstance({ id: 'a', drain }), facts)).toMatchObject({
      do: 'write',
      patch: { state: 'draining' },
    });
    const draining = makeInstance({ id: 'a', drain, state: 'draining' });
    expect(nextStep(draining, { ...facts, sessions: () => 2 }).do).toBe('wait');
    expect(nextStep(draining, { ...facts, sessions: () => undefined }).do).toBe('wait');
    expect(nextStep(draining, { ...facts, drainAcked: () => false }).do).toBe('wait');
    expect(nextStep(draining, { ...facts, now: T0 + 500 }).do).toBe('wait');
    expect(nextStep(draining, facts)).toMatchObject({ do: 'write', patch: { state: 'stopping', reason: 'Drained' } });
    expect(nextStep(draining, { ...facts, sessions: () => 2, now: T0 + 60_000 })).toMatchObject({
      patch: { state: 'stopping', reason: 'DrainDeadline' },
    });
    expect(nextStep({ ...draining, state: 'stopping' }, facts)).toMatchObject({ do: 'stop', graceMs: 7_000 });
  });

  it('never stops an external instance', () => {
    const external = makeInstance({ id: 'a', runtime: 'external', drain, state: 'draining' });
    expect(nextStep(external, facts)).toMatchObject({ do: 'delete' });
    expect(
      nextStep(makeInstance({ id: 'a', runtime: 'external', state: 'unknown' }), { ...facts, healthy: true }),
    ).toMatchObject({ patch: { state: 'ready' } });
  });
});

describe('afterFailure', () => {
  it('doubles the wait and gives up in a crash loop', () => {
    let instance = makeInstance({ id: 'a' });
    const states: unknown[] = [];
    for (let round = 0; round < 5; round += 1) {
      const patch = afterFailure(instance, restart, { reason: 'Exited', message: 'ended' }, T0 + round * 1000, 0.5);
      states.push([
        patch.state,
        patch.retryAt === undefined ? undefined : Date.parse(patch.retryAt) - (T0 + round * 1000),
      ]);
      instance = { ...instance, failures: patch.failures ?? [] };
    }
    expect(states).toEqual([
      ['backoff', 1000],
      ['backoff', 2000],
      ['backoff', 4000],
      ['backoff', 8000],
      ['failed', undefined],
    ]);
  });

  it('never gives up on what the machine lacks now, and keeps the reason of a launch that is wrong', () => {
    const failed = Array.from({ length: 9 }, (_, second) => new Date(T0 + second).toISOString());
    const instance = makeInstance({ id: 'a', failures: failed });
    const after = (reason: FailureReason) => afterFailure(instance, restart, { reason, message: 'no' }, T0 + 1000, 0.5);
    expect(after('Unavailable')).toMatchObject({ state: 'backoff', reason: 'Unavailable' });
    expect(after('BadLaunch')).toMatchObject({ state: 'failed', reason: 'BadLaunch' });
    expect(after('Exited')).toMatchObject({ state: 'failed', reason: 'CrashLoop' });
  });

  it('starts anew after a stable time', () => {
    const old = ['1', '2', '3', '4'].map((second) => new Date(T0 + Number(second)).toISOString());
    const stable = makeInstance({ id: 'a', failures: old, readyAt: new Date(T0).toISOString() });
    expect(afterFailure(stable, restart, { reason: 'Exited', message: 'ended' }, T0 + 61_000, 0.5)).toMatchObject({
      state: 'backoff',
      failures: [expect.any(String)],
    });
  });

  it('says how it ended', () => {
    const instance = makeInstance({ id: 'a', startedAt: new Date(T0).toISOString() });
    expect(describeExit(instance, { code: null, signal: 'SIGKILL' }, T0 + 1500)).toBe(
      'ended by SIGKILL, 1.5 s after its start',
    );
    expect(describeExit(instance, { code: 3, signal: null }, T0 + 1500)).toBe(
      'ended with exit code 3, 1.5 s after its start',
    );
  });
});

describe('an instance that is unhealthy', () => {
  const ready = makeInstance({ id: 'a', state: 'ready' });
  const ill = { ...facts, unhealthyFor: 12_000, healthReason: () => 'it hangs' };
  const restart = HealthRules.parse({ onUnhealthy: 'restart', restartAfter: '10s' });

  it('is kept, unless its service says that it is to be started again', () => {
    expect(nextStep(ready, ill)).toEqual({ do: 'wait' });
    expect(nextStep(ready, { ...ill, health: HealthRules.parse({}) })).toEqual({ do: 'wait' });
  });

  it('is ended and started again when its time is over, and not before', () => {
    expect(nextStep(ready, { ...ill, health: restart })).toMatchObject({
      do: 'fail',
      patch: {
        state: 'backoff',
        reason: 'Unhealthy',
        message: expect.stringContaining('was unhealthy for 10s: it hangs') as string,
      },
    });
    expect(nextStep(ready, { ...ill, unhealthyFor: 4_000, health: restart })).toEqual({
      do: 'wait',
      until: facts.now + 6_000,
    });
  });
});

describe('createFleetBuilder', () => {
  it('shares what did not change, also when a service was written anew with the same content', () => {
    const build = createFleetBuilder();
    const instances = [
      makeInstance({ id: 'b' }),
      makeInstance({ id: 'a' }),
      makeInstance({ id: 'c', state: 'starting' }),
    ];
    const first = build(makeView(makeService({}), instances), () => 'healthy');
    expect(first.services[0]?.instances.map((one) => one.id)).toEqual(['a', 'b']);
    const second = build(
      makeView(
        makeService({}),
        instances.map((one) => ({ ...one })),
        8,
      ),
      () => 'unknown',
    );
    expect(second.services[0]).toBe(first.services[0]);
    expect(second.revision).toBe(8);
    const third = build(makeView(makeService({}), instances), (id) => (id === 'a' ? 'unhealthy' : 'degraded'));
    expect(third.services[0]?.instances.map((one) => one.health)).toEqual(['unhealthy', 'degraded']);
    const fourth = build(makeView(makeService({}), instances), (id) => (id === 'a' ? 'healthy' : 'degraded'));
    expect(fourth.services[0]?.instances[1]).toBe(third.services[0]?.instances[1]);
  });
});
