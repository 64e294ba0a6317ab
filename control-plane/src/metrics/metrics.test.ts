import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Labels } from '../history/metrics.ts';
import { createMetrics } from './create.ts';
import type { Present } from './present.ts';
import { SERIES, seriesTable } from './series.ts';

const service = (name: string, more: Partial<Present['services'][number]> = {}): Present['services'][number] => ({
  name,
  wanted: 1,
  waiting: 0,
  sessionsPerInstance: undefined,
  autoscale: undefined,
  rollout: undefined,
  ...more,
});
const instance = (
  id: string,
  state: string,
  more: Partial<Present['instances'][number]> = {},
): Present['instances'][number] => ({
  id,
  service: 'weather',
  state,
  ready: state === 'ready',
  unhealthy: false,
  sessions: 0,
  cpuCores: undefined,
  memoryBytes: undefined,
  ...more,
});
const PRESENT: Present = {
  version: '1.2.3',
  startedAt: 0,
  revision: 7,
  gateways: [
    {
      node: 'gateway-1',
      ackedRevision: 6,
      types: { cds: { state: 'ERROR' }, eds: { state: 'SYNCED' } },
      refusals: [{ type: 'cds' }],
      drift: { drift: [{}, {}] },
    },
  ],
  lostGateways: ['gateway-2'],
  services: [
    service('weather', { wanted: 3, waiting: 2, sessionsPerInstance: 50, autoscale: { min: 1, max: 5 } }),
    service('finance', { rollout: { phase: 'aborted', weight: 25 } }),
  ],
  instances: [
    instance('weather-1', 'ready', { sessions: 3, cpuCores: 0.5, memoryBytes: 1000 }),
    instance('weather-2', 'ready', { sessions: 4, cpuCores: 0.25 }),
    instance('weather-3', 'backoff'),
    instance('weather-4', 'ready', { ready: false, unhealthy: true }),
  ],
  certificates: [{ name: 'gateway-1', notAfter: '1970-01-01T00:01:00.000Z' }],
  refusedCalls: new Map([['wrong-node', 2]]),
};

it('has a README whose table is that of the series', () => {
  const text = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const cells = (table: string): string[][] =>
    table
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()));
  expect(cells(text)).toEqual(cells(seriesTable()));
});

it('names series as Prometheus wants them', () => {
  for (const [name, series] of Object.entries(SERIES)) {
    expect(name).toMatch(/^(switchboard|process|nodejs)_[a-z_]+$/);
    expect([name, name.endsWith('_total')]).toEqual([name, series.kind === 'counter']);
    expect(series.help).toMatch(/\.$/);
  }
});

it('tells what is there now, and what has happened', async () => {
  const metrics = createMetrics({ perInstance: false, now: () => 0 });
  metrics.measure({ kind: 'opened', node: 'gateway-1', variant: 'delta' });
  metrics.measure({ kind: 'ack', node: 'gateway-1', type: 'eds', ms: 2, convergenceMs: 20 });
  metrics.measure({ kind: 'nack', node: 'gateway-1', type: 'cds', ms: 2, convergenceMs: 20 });
  metrics.request({ method: 'GET', route: '/v1/services', status: 200, ms: 3 });
  const first = await metrics.scrape(PRESENT);
  for (const line of [
    'switchboard_xds_streams{gateway="gateway-1",variant="delta"} 1',
    'switchboard_xds_acks_total{type="eds"} 1',
    'switchboard_xds_nacks_total{type="cds"} 1',
    'switchboard_xds_convergence_seconds_bucket{le="0.025",type="eds"} 1',
    'switchboard_gateway_sync{gateway="gateway-1",type="cds",state="ERROR"} 1',
    'switchboard_gateway_sync{gateway="gateway-1",type="cds",state="SYNCED"} 0',
    'switchboard_gateway_refused_resources{gateway="gateway-1",type="cds"} 1',
    'switchboard_gateway_drift{gateway="gateway-1"} 2',
    'switchboard_sessions{service="weather"} 7',
    'switchboard_sessions{service="finance"} 0',
    'switchboard_instances{service="weather",state="ready"} 3',
    'switchboard_instances_ready{service="weather"} 2',
    'switchboard_instances_ready{service="finance"} 0',
    'switchboard_instances_unhealthy{service="weather"} 1',
    'switchboard_instances_wanted{service="weather"} 3',
    'switchboard_clients_waiting{service="weather"} 2',
    'switchboard_session_capacity{service="weather"} 100',
    'switchboard_autoscale_limit{service="weather",bound="max"} 5',
    'switchboard_rollout_phase{service="finance",phase="aborted"} 1',
    'switchboard_rollout_phase{service="finance",phase="completed"} 0',
    'switchboard_cpu_cores{service="weather"} 0.75',
    'switchboard_memory_bytes{service="weather"} 1000',
    'switchboard_gateway_connected{gateway="gateway-1"} 1',
    'switchboard_gateway_connected{gateway="gateway-2"} 0',
    'switchboard_certificate_expiry_timestamp_seconds{name="gateway-1"} 60',
    'switchboard_wire_refused_calls_total{reason="wrong-node"} 2',
    'switchboard_revision 7',
    'switchboard_build_info{version="1.2.3",node="' + process.version + '"} 1',
    'switchboard_api_request_seconds_count{method="GET",route="/v1/services",status="200"} 1',
  ])
    expect(first.split('\n')).toContain(line);
  // Nothing says how many sessions fit, or of what share a rollout is that is over.
  expect(first).not.toContain('switchboard_session_capacity{service="finance"}');
  expect(first).not.toContain('switchboard_rollout_weight{');
  // What has gone is no longer told; what has happened is.
  metrics.measure({ kind: 'closed', node: 'gateway-1', code: '', ms: 5_000 });
  const then = await metrics.scrape({ ...PRESENT, gateways: [], services: [], instances: [] });
  expect(then).not.toContain('switchboard_instances{');
  expect(then).not.toContain('switchboard_gateway_sync{');
  expect(then.split('\n')).toContain('switchboard_xds_streams{gateway="gateway-1",variant="delta"} 0');
  expect(then.split('\n')).toContain('switchboard_xds_streams_ended_total{code="OK"} 1');
  expect(then.split('\n')).toContain('switchboard_wire_refused_calls_total{reason="wrong-node"} 2');
});

const WEATHER: Labels = { service: 'weather', version: '3', instance: 'weather-1', gateway: 'gateway-1' };
const LOST: Labels = { ...WEATHER, cause: 'instance_lost' };

it('counts what history records, by service and gateway', async () => {
  const metrics = createMetrics({ perInstance: false, now: () => 0 });
  metrics.record('connects', WEATHER, 1);
  metrics.record('connects', { ...WEATHER, instance: 'weather-2' }, 2);
  metrics.record('session_ends', LOST, 1);
  metrics.record('handshake_latency', WEATHER, 4);
  metrics.record('session_length', WEATHER, 90);
  metrics.record('bytes_sent', WEATHER, 1_000);
  const lines = (await metrics.scrape(PRESENT)).split('\n');
  for (const line of [
    'switchboard_connects_total{service="weather",gateway="gateway-1"} 3',
    'switchboard_session_ends_total{service="weather",gateway="gateway-1",cause="instance_lost"} 1',
    'switchboard_sent_bytes_total{service="weather",gateway="gateway-1"} 1000',
    'switchboard_handshake_seconds_bucket{le="0.005",service="weather",gateway="gateway-1"} 1',
    'switchboard_handshake_seconds_bucket{le="0.0025",service="weather",gateway="gateway-1"} 0',
    'switchboard_session_length_seconds_sum{service="weather"} 90',
    // There before they happen, so that the first is seen as a step.
    'switchboard_connects_total{service="finance",gateway="gateway-1"} 0',
    'switchboard_connect_failures_total{service="finance",gateway="gateway-1",cause="unreachable"} 0',
    'switchboard_session_ends_total{service="finance",gateway="gateway-1",cause="reset"} 0',
    'switchboard_probe_failures_total{service="finance"} 0',
  ])
    expect(lines).toContain(line);
  expect(lines.some((line) => line.includes('agent="'))).toBe(false);
  metrics.record('connects', WEATHER, 1);
  expect(await metrics.scrape(PRESENT)).toContain(
    'switchboard_connects_total{service="weather",gateway="gateway-1"} 4\n',
  );
});

it('loses nothing while nobody reads', async () => {
  const metrics = createMetrics({ perInstance: false, now: () => 0 });
  for (let n = 0; n < 10_000; n += 1) metrics.record('connects', { ...WEATHER, instance: `weather-${n}` }, 1);
  expect(await metrics.scrape(PRESENT)).toContain(
    'switchboard_connects_total{service="weather",gateway="gateway-1"} 10000\n',
  );
});

it('tells instances apart where the settings say so, and forgets what has gone', async () => {
  let now = 0;
  const metrics = createMetrics({ perInstance: true, now: () => now });
  metrics.record('connects', WEATHER, 1);
  metrics.record('session_ends', LOST, 1);
  metrics.record('handshake_latency', WEATHER, 4);
  const first = (await metrics.scrape(PRESENT)).split('\n');
  for (const line of [
    'switchboard_sessions{service="weather",agent="weather-2"} 4',
    'switchboard_connects_total{service="weather",gateway="gateway-1",agent="weather-1"} 1',
    'switchboard_connects_total{service="weather",gateway="gateway-1",agent="weather-2"} 0',
    'switchboard_session_ends_total{service="weather",gateway="gateway-1",cause="instance_lost",agent="weather-1"} 1',
    'switchboard_handshake_seconds_count{service="weather",gateway="gateway-1"} 1',
  ])
    expect(first).toContain(line);
  const without = { ...PRESENT, instances: PRESENT.instances.slice(1) };
  const told = async (): Promise<boolean> => (await metrics.scrape(without)).includes('agent="weather-1"');
  now = 60_000;
  expect(await told()).toBe(true);
  now = 3_600_000;
  expect(await told()).toBe(false);
  expect(await metrics.scrape(without)).toContain('switchboard_handshake_seconds_count{service="weather"');
  // A service too.
  const nothing = { ...PRESENT, services: [service('finance')], instances: [] };
  now = 7_200_000;
  expect(await metrics.scrape(nothing)).not.toContain('service="weather"');
  // And it begins anew when it comes back.
  expect(await metrics.scrape(PRESENT)).toContain('switchboard_connects_total{service="weather",gateway="gateway-1",');
});

it('misses a gateway that left, for an hour', () => {
  let now = 0;
  const metrics = createMetrics({ perInstance: false, now: () => now });
  metrics.measure({ kind: 'opened', node: 'gateway-9', variant: 'delta' });
  now = 10 * 3_600_000;
  expect(metrics.seenGateways()).toEqual(['gateway-9']);
  metrics.measure({ kind: 'closed', node: 'gateway-9', code: '', ms: 1 });
  expect(metrics.seenGateways()).toEqual(['gateway-9']);
  now += 3_600_000;
  expect(metrics.seenGateways()).toEqual([]);
});
