import { expect, it } from 'vitest';
import { checkText, gatewayCheckOf } from './gateway-check.ts';
import { HealthCheck } from './service.ts';

const http = { type: 'http', options: { path: '/up', status: [200, 204] } };

it.each([
  // The service leaves it to us: what passes the probe passes the gateway's check.
  [{}, { type: 'websocket', options: { path: '/ws' } }, 'a TCP connection'],
  [{}, { type: 'myagent', options: {} }, 'a TCP connection'],
  [{}, { type: 'process', options: {} }, 'a TCP connection'],
  [{}, { type: 'of-a-plugin', options: { path: 5 } }, 'a TCP connection'],
  [{}, http, 'GET /up over HTTP'],
  [{}, { type: 'http', options: {} }, 'GET /healthz over HTTP'],
  [{}, undefined, 'a TCP connection'],
  // What it says goes; the path is the probe's unless it says one.
  [{ type: 'websocket' }, { type: 'myagent', options: { path: '/ws' } }, 'a WebSocket handshake at /ws'],
  [{ type: 'http' }, { type: 'websocket', options: {} }, 'GET / over HTTP'],
  [{ path: '/live' }, http, 'GET /live over HTTP'],
  [{ type: 'tcp' }, http, 'a TCP connection'],
] as const)('%o with probe %o is %s', (check, probe, text) => {
  expect(checkText(gatewayCheckOf(HealthCheck.parse(check), probe))).toBe(text);
});

it('an http probe says which answers pass, a check of the service takes any below 500', () => {
  expect(gatewayCheckOf(HealthCheck.parse({}), http).status).toEqual([200, 204]);
  expect(gatewayCheckOf(HealthCheck.parse({ type: 'http' }), http).status).toEqual([100, 499]);
});
