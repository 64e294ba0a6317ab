import { expect, it } from 'vitest';
import { createMetrics } from './create.ts';
import { otlpRequest, type OtlpRequest } from './otlp.ts';
import type { Present } from './present.ts';

const PRESENT: Present = {
  version: '1.2.3',
  startedAt: 0,
  revision: 7,
  gateways: [],
  lostGateways: [],
  services: [],
  instances: [],
  certificates: [],
  refusedCalls: new Map(),
};

async function exported(): Promise<OtlpRequest> {
  const metrics = createMetrics({ perInstance: false, now: () => 0 });
  const labels = { service: '天气', gateway: 'gateway-1' };
  metrics.record('connects', labels, 3);
  for (const ms of [3, 4, 700, 60_000]) metrics.record('handshake_latency', labels, ms);
  const source = { version: '1.2.3', instance: 'host:8801', startedAt: 1_795_000_000_000, now: 1_795_000_060_500 };
  return otlpRequest(await metrics.read(PRESENT), source);
}

it('has the form that collectors read', async () => {
  const { resourceMetrics } = await exported();
  expect(resourceMetrics[0]?.resource.attributes).toEqual([
    { key: 'service.name', value: { stringValue: 'switchboard' } },
    { key: 'service.version', value: { stringValue: '1.2.3' } },
    { key: 'service.instance.id', value: { stringValue: 'host:8801' } },
  ]);
  const all = resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
  const named = (name: string): unknown => all.find((metric) => metric.name === name);
  const place = [
    { key: 'service', value: { stringValue: '天气' } },
    { key: 'gateway', value: { stringValue: 'gateway-1' } },
  ];
  const times = { startTimeUnixNano: '1795000000000000000', timeUnixNano: '1795000060500000000' };
  expect(named('switchboard_connects_total')).toEqual({
    name: 'switchboard_connects_total',
    description: 'Sessions that were opened.',
    unit: '1',
    sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ attributes: place, ...times, asDouble: 3 }] },
  });
  expect(named('switchboard_revision')).toMatchObject({
    gauge: { dataPoints: [{ attributes: [], timeUnixNano: times.timeUnixNano, asDouble: 7 }] },
  });
  expect(named('switchboard_handshake_seconds')).toMatchObject({
    unit: 's',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          attributes: place,
          ...times,
          count: '4',
          sum: 60.707,
          // One more than bounds: the last has no end.
          bucketCounts: ['0', '0', '2', '0', '0', '0', '0', '0', '0', '1', '0', '0', '0', '1'],
          explicitBounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        },
      ],
    },
  });
  // Nothing has happened there: there is nothing to send.
  expect(named('switchboard_xds_acks_total')).toBeUndefined();
});
