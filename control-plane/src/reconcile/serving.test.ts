import { expect, it } from 'vitest';
import type { HealthReport } from '../model/health.ts';
import { servesClients } from './serving.ts';
import { T0, makeInstance } from './testing.ts';

const seen = (verdict: HealthReport['verdict'], gateway: HealthReport['gateway']) => ({
  verdict: () => verdict,
  gateway: () => gateway,
});

it.each([
  ['healthy', 'ok', 0, true],
  ['degraded', 'ok', 0, true],
  ['unhealthy', 'ok', 0, false],
  // Its own probe passes, and every client gets 503.
  ['degraded', 'failed', 60_000, false],
  // The gateway's word is waited for, but not for ever.
  ['healthy', 'unknown', 0, false],
  ['healthy', 'unknown', 10_000, true],
] as const)('%s, for the gateway %s, ready for %i ms: %s', (verdict, gateway, ago, serves) => {
  const readyAt = new Date(T0 - ago).toISOString();
  expect(servesClients(makeInstance({ id: 'a', state: 'ready', readyAt }), seen(verdict, gateway), T0)).toBe(serves);
});

it('one that only starts does not serve', () => {
  expect(servesClients(makeInstance({ id: 'a', state: 'starting' }), seen('healthy', 'ok'), T0)).toBe(false);
});
