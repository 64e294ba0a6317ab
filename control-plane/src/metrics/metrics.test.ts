import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMetrics, type Present } from './create.ts';
import { SERIES, seriesTable } from './series.ts';

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
  services: ['weather', 'finance'],
  instances: [
    { service: 'weather', state: 'ready', sessions: 3 },
    { service: 'weather', state: 'ready', sessions: 4 },
    { service: 'weather', state: 'backoff', sessions: 0 },
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
  const metrics = createMetrics();
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
    'switchboard_instances{service="weather",state="ready"} 2',
    'switchboard_certificate_expiry_timestamp_seconds{name="gateway-1"} 60',
    'switchboard_wire_refused_calls_total{reason="wrong-node"} 2',
    'switchboard_revision 7',
    'switchboard_build_info{version="1.2.3",node="' + process.version + '"} 1',
    'switchboard_api_request_seconds_count{method="GET",route="/v1/services",status="200"} 1',
  ])
    expect(first.split('\n')).toContain(line);
  // What has gone is no longer told; what has happened is.
  metrics.measure({ kind: 'closed', node: 'gateway-1', code: '', ms: 5_000 });
  const then = await metrics.scrape({ ...PRESENT, gateways: [], services: [], instances: [] });
  expect(then).not.toContain('switchboard_instances{');
  expect(then).not.toContain('switchboard_gateway_sync{');
  expect(then.split('\n')).toContain('switchboard_xds_streams{gateway="gateway-1",variant="delta"} 0');
  expect(then.split('\n')).toContain('switchboard_xds_streams_ended_total{code="OK"} 1');
  expect(then.split('\n')).toContain('switchboard_wire_refused_calls_total{reason="wrong-node"} 2');
});
