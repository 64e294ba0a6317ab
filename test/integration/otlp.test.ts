/** Metrics to an OpenTelemetry collector: what arrives, what happens while there is none, and that secrets stay where they are. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { OtlpRequest } from '../../control-plane/src/metrics/otlp.ts';
import { echoService, startWorld } from '../support/world.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly request: OtlpRequest;
}

async function collector(port: number, received: Received[], answer: () => readonly [number, string]): Promise<Server> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        request: JSON.parse(gunzipSync(Buffer.concat(parts)).toString('utf8')) as OtlpRequest,
      });
      const [status, body] = answer();
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

const SECRET = 'Bearer very-secret-0123456789';

it('sends what /metrics tells; a collector that is away is told of once and missed by nobody', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-otlp-'));
  const received: Received[] = [];
  let answer: readonly [number, string] = [200, '{}'];
  let server = await collector(0, received, () => answer);
  const { port } = server.address() as AddressInfo;
  const settings = join(folder, 'switchboard.yaml');
  const otlp = {
    endpoint: `http://127.0.0.1:${port}`,
    interval: '1s',
    headers: { authorization: { fromEnv: 'OTLP_KEY' } },
  };
  writeFileSync(settings, JSON.stringify({ telemetry: { otlp } }));
  await using world = await startWorld({
    seed: [echoService('weather')],
    environment: { SWITCHBOARD_SETTINGS: settings, OTLP_KEY: SECRET },
  });
  const crowd = await world.crowd('weather', 4);
  const connects = (one: Received | undefined): unknown =>
    one?.request.resourceMetrics[0]?.scopeMetrics[0]?.metrics.find(({ name }) => name === 'switchboard_connects_total')
      ?.sum?.dataPoints[0]?.asDouble;
  await world.until('the connects arrive', async () => connects(received.at(-1)) === 4);
  expect(received.at(-1)).toMatchObject({
    path: '/v1/metrics',
    headers: { authorization: SECRET, 'content-type': 'application/json', 'content-encoding': 'gzip' },
  });

  const warnings = (): string[] =>
    world
      .log()
      .split('\n')
      .filter((line) => line.includes('metrics cannot be sent'));
  const told = async (count: number): Promise<void> => {
    await world.until(`${count} warnings`, async () => warnings().length === count);
  };
  expect(warnings()).toEqual([]);
  await end(server);
  await told(1);
  // Sessions and API go on as before, and nothing more is told however often it fails.
  const more = await world.crowd('weather', 2);
  const { revision } = await world.client.status();
  expect(revision).toBeGreaterThan(0);
  await new Promise((done) => setTimeout(done, 3_000));
  await told(1);
  server = await collector(port, received, () => answer);
  await world.until('all connects arrive', async () => connects(received.at(-1)) === 6);
  await world.until('it is told', async () => world.log().includes('metrics are sent again'));

  // A collector that is there and does not want them is told of too, with its own words.
  answer = [200, JSON.stringify({ partialSuccess: { rejectedDataPoints: '3', errorMessage: 'too old' } })];
  await told(2);
  expect(warnings().at(-1)).toContain('it left out 3 values: too old');
  answer = [200, '{}'];
  await world.until('that is over', async () => world.log().split('metrics are sent again').length === 3);
  answer = [401, 'no'];
  await told(3);
  expect(warnings().at(-1)).toContain('it answers with status 401');
  expect(world.log()).not.toContain('very-secret');
  await crowd.close();
  await more.close();
  await end(server);
  rmSync(folder, { recursive: true });
});
