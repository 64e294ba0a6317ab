import { expect, it } from 'vitest';
import { opinionsIn } from './gateway-view.ts';

const endpoint = (cluster: string, address: string, flags: string): string[] => [
  `${cluster}::${address}::cx_active::0`,
  `${cluster}::${address}::hostname::`,
  `${cluster}::${address}::health_flags::${flags}`,
  `${cluster}::${address}::weight::1`,
];

it('reads whom an Envoy finds ill, and says nothing of one that it has not checked yet', () => {
  const text = [
    'weather::observability_name::weather',
    'weather::added_via_api::true',
    ...endpoint('weather', '10.0.0.1:1', 'healthy'),
    ...endpoint('weather', '10.0.0.1:2', '/failed_active_hc/active_hc_timeout'),
    ...endpoint('weather', '10.0.0.1:3', '/failed_active_hc/pending_active_hc'),
    ...endpoint('weather', '10.0.0.1:4', '/failed_outlier_check'),
    ...endpoint('weather', '10.0.0.1:5', '/failed_eds_health'),
    'empty::added_via_api::true',
    ...endpoint('other', '10.0.0.1:1', '/failed_active_hc'),
    ...endpoint('other', '[::1]:80', 'healthy'),
    ...endpoint('other', '[::1]:81', '/failed_active_hc'),
  ];
  const found = opinionsIn(text.join('\n'));
  const checkFails = 'the gateway sends it no new sessions: its own health check fails';
  expect(Object.fromEntries(found)).toEqual({
    '10.0.0.1:1': checkFails,
    '10.0.0.1:2': checkFails,
    '10.0.0.1:4': 'the gateway sends it no new sessions: too many of its requests failed',
    '10.0.0.1:5': '',
    '[::1]:80': '',
    '[::1]:81': checkFails,
  });
  expect(opinionsIn('')).toEqual(new Map());
});
