/** /metrics of a real control plane with a real Envoy: what it tells, and to whom. */
import { expect, it } from 'vitest';
import { echoService, startWorld } from '../support/world.ts';

const SCRAPER = 'scraper-token-0123456789';

it('tells Prometheus what runs, with a token of its own', async () => {
  await using world = await startWorld({
    seed: [echoService('weather', { replicas: 2 })],
    environment: { SWITCHBOARD_METRICS_TOKEN: SCRAPER },
  });
  const scrape = async (token?: string): Promise<Response> =>
    fetch(`${world.client.url}/metrics`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  expect((await scrape()).status).toBe(401);
  expect((await scrape('another-token-0123456789')).status).toBe(401);
  expect((await scrape(world.token)).status).toBe(200);
  // It is good for nothing else.
  const other = await fetch(`${world.client.url}/v1/services`, { headers: { authorization: `Bearer ${SCRAPER}` } });
  expect(other.status).toBe(401);
  const crowd = await world.crowd('weather', 10);
  const text = await world.until('all is told', async () => {
    const answer = await scrape(SCRAPER);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const body = await answer.text();
    const all = [
      'switchboard_sessions{service="weather"} 10\n',
      'switchboard_connects_total{service="weather",gateway="gateway-1"} 10\n',
      'switchboard_handshake_seconds_count{service="weather",gateway="gateway-1"} 10\n',
      'switchboard_memory_bytes{service="weather"} ',
      'switchboard_probe_seconds_count{service="weather"} ',
    ];
    return all.every((line) => body.includes(line)) && body;
  });
  for (const line of [
    'switchboard_instances{service="weather",state="ready"} 2',
    'switchboard_instances_ready{service="weather"} 2',
    'switchboard_instances_wanted{service="weather"} 2',
    'switchboard_gateway_connected{gateway="gateway-1"} 1',
    'switchboard_session_ends_total{service="weather",gateway="gateway-1",cause="instance_lost"} 0',
    'switchboard_gateway_sync{gateway="gateway-1",type="cds",state="SYNCED"} 1',
    'switchboard_gateway_drift{gateway="gateway-1"} 0',
    'switchboard_xds_streams{gateway="gateway-1",variant="delta"} 1',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text).toMatch(/switchboard_xds_acks_total\{type="eds"\} [1-9]/);
  expect(text).toMatch(/switchboard_xds_convergence_seconds_bucket\{le="0\.01",type="cds"\}/);
  expect(text).toMatch(/switchboard_certificate_expiry_timestamp_seconds\{name="gateway-1"\} \d{10}/);
  expect(text).toMatch(/switchboard_api_request_seconds_count\{method="GET",route="\/v1\/instances",status="200"\} \d/);
  expect(text).not.toContain(world.token);
  expect(text).not.toContain(SCRAPER);
  await crowd.close();
}, 60_000);
