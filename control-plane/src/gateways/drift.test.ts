import { encode } from '@switchboard/proto';
import { expect, it } from 'vitest';
import type { ResourceSync, TypeConfig } from '../xds/status.ts';
import { driftOf, type EnvoyFacts } from './drift.ts';

const one = (name: string, change: Partial<ResourceSync> = {}): ResourceSync => ({
  name,
  state: 'SYNCED',
  version: 'v1',
  sent: 'v1',
  acked: 'v1',
  revision: 1,
  sentAt: null,
  answeredAt: null,
  ...change,
});
const config = (short: string, ...resources: ResourceSync[]): TypeConfig => ({ type: short, short, resources });
const facts = (change: Partial<EnvoyFacts>): EnvoyFacts => ({
  versions: new Map(),
  endpoints: new Map(),
  warming: [],
  ...change,
});
const has = (short: string, ...entries: [string, string][]): EnvoyFacts =>
  facts({ versions: new Map([[short, new Map(entries)]]) });
const assignment = (...hosts: [number, string][]): Uint8Array =>
  encode('envoy.config.endpoint.v3.ClusterLoadAssignment', {
    cluster_name: 'a',
    endpoints: [
      {
        lb_endpoints: hosts.map(([port, health]) => ({
          endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
          health_status: health,
        })),
      },
    ],
  });

it('tells what is missing, left over or another version, and not what is on its way or refused', () => {
  expect(driftOf([config('cds', one('a'))], 'delta', has('cds', ['a', 'v1']))).toEqual([]);
  expect(driftOf([config('cds', one('a'), one('b'))], 'delta', has('cds', ['a', 'v0'], ['c', 'v1']))).toEqual([
    { type: 'cds', name: 'c', message: 'Envoy still has it, and it is gone here' },
    { type: 'cds', name: 'a', message: 'Envoy has acknowledged version v1 and runs v0' },
    { type: 'cds', name: 'b', message: 'Envoy has acknowledged it and does not have it' },
  ]);
  // In state of the world a version is the whole response's.
  expect(driftOf([config('cds', one('a'))], 'sotw', has('cds', ['a', 'v0']))).toEqual([]);
  const onItsWay = one('a', { state: 'STALE', acked: '', sent: 'v1' });
  expect(driftOf([config('cds', onItsWay)], 'delta', has('cds'))).toEqual([]);
  const refused = one('a', { state: 'ERROR', version: 'v2', acked: 'v1' });
  expect(driftOf([config('cds', refused)], 'delta', has('cds', ['a', 'v1']))).toEqual([]);
});

it('compares endpoints by address and health', () => {
  const wanted = one('a', { wanted: assignment([1, 'HEALTHY'], [2, 'DRAINING']) });
  const look = (...entries: [string, string][]) =>
    driftOf([config('eds', wanted)], 'delta', facts({ endpoints: new Map([['a', new Map(entries)]]) }));
  expect(look(['127.0.0.1:1', 'HEALTHY'], ['127.0.0.1:2', 'DRAINING'])).toEqual([]);
  expect(look(['127.0.0.1:1', 'HEALTHY'], ['127.0.0.1:2', 'UNHEALTHY'])).toEqual([]);
  expect(look(['127.0.0.1:1', 'HEALTHY'], ['127.0.0.1:2', 'HEALTHY'])).toHaveLength(1);
  expect(look(['127.0.0.1:1', 'UNHEALTHY'], ['127.0.0.1:3', 'HEALTHY'])).toEqual([
    {
      type: 'eds',
      name: 'a',
      message:
        'Envoy lacks 127.0.0.1:2; Envoy still has 127.0.0.1:3; 127.0.0.1:1 is HEALTHY here and UNHEALTHY for Envoy',
    },
  ]);
  expect(driftOf([config('eds', wanted)], 'delta', facts({}))).toMatchObject([
    { message: 'Envoy has no endpoints of it' },
  ]);
});
