/**
 * All of the system with 1,000 services of 10 instances: how soon the gateway and every instance are ready after a start with an empty registry,
 * what such a fleet costs at rest, and what one change in it takes. Another Envoy is all the agents: a Node process would be what is measured.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startWorld } from '../support/world.ts';
import { bounded, quantile, type Figure } from './figure.ts';
import { cpuOf, memoryOf } from './load.ts';
import { startEchoAgent } from './processes.ts';
import { startResponder } from './responder.ts';

const INSTANCES = 10;

function service(n: number, port: number): Record<string, unknown> {
  const host = (k: number): string => `127.${1 + (n >> 8)}.${n & 255}.${k + 1}`;
  return {
    kind: 'Service',
    name: `s-${n}`,
    spec: {
      runtime: 'external',
      addresses: Array.from({ length: INSTANCES }, (_, k) => ({ host: host(k), port })),
      probe: { type: 'tcp', interval: '60s' },
      gateway: { healthCheck: { type: 'tcp', interval: '60s' } },
    },
  };
}

export async function fleet(quick: boolean): Promise<Figure[]> {
  const services = quick ? 200 : 1_000;
  const echo = await startEchoAgent();
  const agents = await startResponder(echo.port);
  try {
    const begin = performance.now();
    const since = (): number => (performance.now() - begin) / 1_000;
    await using world = await startWorld({
      seed: Array.from({ length: services }, (_, n) => service(n, agents.port)),
      waitReady: false,
    });
    const gatewayReady = since();
    await world.until(
      'all are ready',
      async () => {
        await sleep(500);
        const { items } = await world.client.services();
        return items.reduce((sum, { status }) => sum + status.ready, 0) === services * INSTANCES;
      },
      120_000,
    );
    const allReady = since();
    const { pid } = (await world.status()).controlPlane;
    await sleep(15_000);
    const before = cpuOf(pid);
    const seconds = quick ? 10 : 30;
    await sleep(seconds * 1_000);
    const idle = (cpuOf(pid) - before) / (seconds * 10);
    const memory = memoryOf(pid) / 1_024;

    const took: Record<'write' | 'endpoint', number[]> = { write: [], endpoint: [] };
    const samples = quick ? 30 : 100;
    for (let n = 0; n < samples; n += 1) {
      const start = performance.now();
      const gateway = { handshakeTimeout: `${5 + (n % 7)}s` };
      await world.client.patchService(`s-${n % services}`, { spec: { gateway } }, { wait: true });
      took.write.push(performance.now() - start);
    }
    for (let n = 0; n < samples; n += 1) {
      const start = performance.now();
      const name = `s-${(n >> 1) % services}`;
      await (n % 2 === 0 ? world.client.stop(name, { wait: true }) : world.client.start(name, { wait: true }));
      took.endpoint.push(performance.now() - start);
    }
    const size = `${services} x ${INSTANCES}`;
    return [
      bounded(`${size}: gateway ready after a start with an empty registry`, 's', gatewayReady, [gatewayReady], 10),
      bounded(`${size}: all instances ready`, 's', allReady, [allReady], 20),
      bounded(`${size}: control plane at rest`, '% of a core', idle, [idle], 5),
      bounded(`${size}: control plane memory`, 'MiB', memory, [memory], 350),
      bounded(`${size}: API write to ACK, p50`, 'ms', quantile(took.write, 0.5), took.write, 100),
      bounded(
        `${size}: endpoint change over the API to ACK, p50`,
        'ms',
        quantile(took.endpoint, 0.5),
        took.endpoint,
        50,
      ),
    ];
  } finally {
    agents.stop();
    echo.stop();
  }
}
