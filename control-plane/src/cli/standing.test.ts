import { expect, it } from 'vitest';
import type { GatewayView, InstanceView, RolloutView, ServiceView } from '../api/types.ts';
import { standingOf } from './standing.ts';

const service = (more: object = {}, spec: object = {}): ServiceView =>
  ({
    name: 'weather',
    version: 2,
    revision: 10,
    spec: { enabled: true, runtime: 'process', ...spec },
    status: { state: 'starting', message: 'as it is', wanted: 2 },
    ...more,
  }) as unknown as ServiceView;
const instance = (id: string, more: object = {}): InstanceView =>
  ({
    id,
    version: 2,
    state: 'ready',
    message: 'says why',
    revision: 12,
    health: null,
    ...more,
  }) as unknown as InstanceView;
const rollout = (more: object): RolloutView =>
  ({ from: 1, to: 2, phase: 'progressing', weight: 0, message: 'goes on', ...more }) as unknown as RolloutView;
const gateway = (ackedRevision: number): GatewayView =>
  ({ node: 'gateway-1', ackedRevision }) as unknown as GatewayView;

const two = [instance('a'), instance('b')];
const drained = { drain: {} };
const replaced = { replace: {} };

it.each([
  ['all serve', two, undefined, 12, 'ready: 2 of 2 instances are ready'],
  ['a gateway is behind', two, undefined, 11, 'waiting: 2 of 2 instances are ready; not known yet to gateway-1'],
  ['one is missing', [instance('a')], undefined, 12, 'waiting: 1 of 2 instances are ready'],
  [
    'one starts',
    [instance('a'), instance('b', { state: 'starting' })],
    undefined,
    12,
    'waiting: 1 of 2 instances are ready; b starting: says why',
  ],
  [
    'one elsewhere was never ready',
    [instance('a'), instance('b', { state: 'unknown', health: { reason: 'its certificate has expired' } })],
    undefined,
    12,
    'waiting: 1 of 2 instances are ready; b unknown: its certificate has expired',
  ],
  [
    'one is ill',
    [instance('a'), instance('b', { health: { verdict: 'unhealthy', reason: 'does not answer' } })],
    undefined,
    12,
    'waiting: 1 of 2 instances are ready; b ready: does not answer',
  ],
  [
    'one is shut out by the gateway',
    [instance('a'), instance('b', { health: { verdict: 'degraded', gateway: 'failed', reason: 'its check fails' } })],
    undefined,
    12,
    'waiting: 1 of 2 instances are ready; b ready: its check fails',
  ],
  [
    'one is not checked by the gateway yet',
    [instance('a'), instance('b', { health: { verdict: 'healthy', gateway: 'unknown', reason: 'is well' } })],
    undefined,
    12,
    'waiting: 1 of 2 instances are ready; b ready: the gateway has not checked it yet',
  ],
  [
    'one has given up',
    [instance('a'), instance('b', { state: 'failed' })],
    undefined,
    12,
    'failed: instance b says why',
  ],
  [
    'one drains beside',
    [...two, instance('c', { ...drained, state: 'failed' })],
    undefined,
    99,
    'ready: 2 of 2 instances are ready',
  ],
  [
    'old ones are to go',
    [...two, instance('c', { ...replaced, state: 'failed' })],
    undefined,
    99,
    'waiting: 2 of 2 instances are ready; 1 old ones are still to be replaced',
  ],
  [
    'those of the version before do not count',
    [instance('a'), instance('b', { version: 1 })],
    rollout({ phase: 'completed', weight: 100 }),
    99,
    'waiting: 1 of 2 instances are ready',
  ],
  ['a rollout goes on', two, rollout({}), 99, 'waiting: 2 of 2 instances are ready; progressing: goes on'],
  [
    'a rollout judges its failures itself',
    [instance('a'), instance('b', { state: 'failed' })],
    rollout({ phase: 'paused' }),
    99,
    'waiting: 1 of 2 instances are ready; paused: goes on',
  ],
  ['only the old version is kept still', two, rollout({ weight: 100 }), 99, 'ready: 2 of 2 instances are ready'],
  ['it was aborted', two, rollout({ phase: 'aborted' }), 99, 'failed: the rollout of version 2 was aborted: goes on'],
  ['another was aborted', two, rollout({ phase: 'aborted', to: 3 }), 99, 'ready: 2 of 2 instances are ready'],
] as const)('%s', (_, instances, newest, acked, expected) => {
  const { is, text } = standingOf({ service: service(), instances, gateways: [gateway(acked)], rollout: newest }, true);
  expect(`${is}: ${text}`).toBe(expected);
});

it('what serves on after an abort counts where no new version was asked for', () => {
  const old = [instance('a', { version: 1 }), instance('b', { version: 1 })];
  const seen = { service: service(), instances: old, gateways: [gateway(99)], rollout: rollout({ phase: 'aborted' }) };
  expect(standingOf(seen, false)).toEqual({ is: 'ready', text: '2 of 2 instances are ready' });
});

it('what is stopped is as written; addresses that have no instance yet are missing', () => {
  const seen = { instances: [], gateways: [gateway(99)], rollout: undefined };
  expect(standingOf({ ...seen, service: service({}, { enabled: false }) }, true)).toEqual({
    is: 'ready',
    text: 'as it is',
  });
  const external = service({ status: { wanted: 0 } }, { runtime: 'external', addresses: [{}, {}] });
  expect(standingOf({ ...seen, service: external }, true)).toEqual({
    is: 'waiting',
    text: '0 of 2 instances are ready',
  });
  const registered = [instance('a', { version: 0 }), instance('b', { version: 0 })];
  expect(standingOf({ ...seen, service: external, instances: registered }, true).is).toBe('ready');
});
