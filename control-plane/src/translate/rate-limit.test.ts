import { expect, it } from 'vitest';
import { ServiceGateway } from '../model/service.ts';
import type { FleetInstance, FleetService } from '../model/fleet.ts';
import { rateLimitFilter, rateLimitOfAction, rateLimitOfRoute, rateLimitOfSplit } from './rate-limit.ts';

const instance = (id: string, health: FleetInstance['health']): FleetInstance => ({
  id,
  host: '127.0.0.1',
  port: 1,
  weight: 1,
  version: 1,
  tags: {},
  zone: '',
  health,
});
const service = (name: string, limits: unknown, ...health: FleetInstance['health'][]): FleetService => ({
  name,
  gateway: ServiceGateway.parse(limits === undefined ? {} : { limits }),
  instances: health.map((one, n) => instance(`${name}-${n}`, one)),
});

it('gives each service a bucket as large as its ready instances can bear, and one to each of its clients', () => {
  const found = rateLimitFilter([
    service('plain', undefined, 'healthy'),
    service('quick', { newPerInstance: { perSecond: 50 } }, 'healthy', 'healthy', 'unhealthy'),
    service('slow', { newPerInstance: { perSecond: 0.5, burst: 3 }, newPerClient: { perSecond: 2 } }),
  ]);
  expect(found['descriptors']).toEqual([
    {
      entries: [{ key: 'destination_cluster', value: 'quick' }],
      token_bucket: { max_tokens: 200, tokens_per_fill: 10, fill_interval: '0.1s' },
    },
    {
      entries: [{ key: 'destination_cluster', value: 'slow' }],
      token_bucket: { max_tokens: 3, tokens_per_fill: 1, fill_interval: '2s' },
    },
    {
      entries: [{ key: 'destination_cluster', value: 'slow' }, { key: 'remote_address' }],
      token_bucket: { max_tokens: 4, tokens_per_fill: 1, fill_interval: '0.5s' },
    },
  ]);
});

it('all routes to a service name the same buckets, parts of a split too; without limits there is nothing', () => {
  const limits = { newPerInstance: { perSecond: 1 } };
  const own = { generic_key: { descriptor_key: 'destination_cluster', descriptor_value: 'a' } };
  const told = { rate_limits: [{ actions: [own] }, { actions: [own, { remote_address: {} }] }] };
  expect(rateLimitOfAction('a', limits)).toEqual(told);
  expect(Object.keys(rateLimitOfRoute(limits))).toEqual(['rate-limit']);
  expect(rateLimitOfSplit([undefined, limits])).toEqual(
    JSON.parse(JSON.stringify(told).replaceAll(JSON.stringify(own), '{"destination_cluster":{}}')),
  );
  expect([rateLimitOfRoute(undefined), rateLimitOfAction('a', { sessionsPerInstance: 1 })]).toEqual([{}, {}]);
  expect(rateLimitOfSplit([undefined, {}])).toEqual({});
});
