import { describe, expect, it } from 'vitest';
import type { Instance } from '../model/instance.ts';
import type { EndedSession } from '../telemetry/session.ts';
import { endCause } from './history.ts';

const at = Date.UTC(2026, 10, 25);
const ended = (more: Partial<EndedSession>): EndedSession =>
  ({
    instance: 'a',
    endedBy: 'agent',
    details: 'UC via_upstream',
    endedAt: new Date(at).toISOString(),
    ...more,
  }) as EndedSession;
const instance = (state: Instance['state'], exitMs?: number): Instance =>
  ({
    state,
    ...(exitMs === undefined
      ? {}
      : { lastExit: { at: new Date(at + exitMs).toISOString(), code: null, signal: 'SIGKILL', log: [] } }),
  }) as unknown as Instance;

describe('the cause of a session’s end', () => {
  it.each([
    ['client', { endedBy: 'client' }, instance('ready')],
    ['agent', {}, instance('ready')],
    ['agent', {}, instance('ready', -600_000)],
    ['agent', { instance: null }, undefined],
    ['instance_lost', {}, instance('backoff', -200)],
    ['instance_lost', {}, instance('backoff', 900)],
    ['drained', {}, instance('stopping')],
    ['drained', {}, undefined],
    ['reset', { details: 'UR upstream_reset' }, instance('ready')],
    ['idle', { endedBy: 'gateway', details: 'SI stream_idle_timeout' }, instance('ready')],
    ['max_duration', { endedBy: 'gateway', details: 'DT' }, instance('ready')],
    ['gateway_lost', { endedBy: 'gateway', details: '' }, instance('ready')],
    ['instance_lost', { endedBy: 'gateway', how: 'WireSilent', details: 'UC' }, instance('ready')],
    ['unknown', { endedBy: 'unknown', details: '' }, instance('ready')],
  ] as const)('is %s for %j', (cause, session, held) => {
    expect(endCause(ended(session), held)).toBe(cause);
  });
});
