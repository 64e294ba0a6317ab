/**
 * How long a change takes to run in Envoy, and what it and an idle control plane cost, at 100 services of 3 instances. A change of endpoints
 * is told twice: with the API's durable write, and from the end of that write to the ACK (in whole milliseconds), which is the way of a
 * probe's verdict.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startWorld } from '../support/world.ts';
import { bounded, quantile, type Figure } from './figure.ts';
import { cpuOf, memoryOf } from './load.ts';
import { startEchoAgent } from './processes.ts';

const SERVICES = 100;

/** One echo agent at many addresses of the loopback network stands for 300. */
function services(port: number): Record<string, unknown>[] {
  return Array.from({ length: SERVICES }, (_, n) => ({
    kind: 'Service',
    name: `s-${n}`,
    spec: {
      runtime: 'external',
      addresses: [1, 2, 3].map((k) => ({ host: `127.0.${n + 1}.${k}`, port })),
      probe: { type: 'websocket' },
    },
  }));
}

/** CPU of a process that has nothing to do but to look after its fleet, in percent of a core. */
async function idle(pid: number, quick: boolean): Promise<number> {
  const before = cpuOf(pid);
  const seconds = quick ? 10 : 40;
  await sleep(seconds * 1000);
  return (cpuOf(pid) - before) / (seconds * 10);
}

export async function controlPath(quick: boolean): Promise<Figure[]> {
  const agent = await startEchoAgent('0.0.0.0');
  await using world = await startWorld({ seed: services(agent.port) });
  try {
    await world.until(
      'all are ready',
      async () => (await world.client.instances()).items.filter((one) => one.state === 'ready').length === SERVICES * 3,
      60_000,
    );
    await sleep(2_000);
    const status = await world.status();

    const plane = status.controlPlane.pid;
    // Once all is up, what its start has left is cleared.
    await sleep(12_000);
    const atRest = await idle(plane, quick);
    const memoryBefore = memoryOf(plane) / 1024;
    const beforeWrites = cpuOf(plane);
    const writes: number[] = [];
    const samples = quick ? 60 : 300;
    for (let n = 0; n < samples; n += 1) {
      const start = performance.now();
      await world.client.patchService(
        `s-${n % SERVICES}`,
        { spec: { gateway: { handshakeTimeout: `${5 + (n % 7)}s` } } },
        { wait: true },
      );
      writes.push(performance.now() - start);
    }
    const perWrite = (cpuOf(plane) - beforeWrites) / samples;
    const endpoints: number[] = [];
    const fromCommit: number[] = [];
    for (let n = 0; n < samples; n += 1) {
      // An address's service switched off drains its endpoints, and back on brings them again: a change of endpoints alone.
      const start = performance.now();
      const name = `s-${(n >> 1) % SERVICES}`;
      const { revision } = await (n % 2 === 0
        ? world.client.stop(name, { wait: true })
        : world.client.start(name, { wait: true }));
      endpoints.push(performance.now() - start);
      const { committedAt, gateways } = await world.client.revision(revision);
      fromCommit.push(Date.parse(gateways[0]?.at ?? '') - Date.parse(committedAt));
    }

    await sleep(quick ? 3_000 : 30_000);
    const after = await idle(plane, quick);
    const memory = memoryOf(plane) / 1024;
    return [
      bounded('API write to ACK, p50', 'ms', quantile(writes, 0.5), writes, 10),
      bounded('API write to ACK, p99', 'ms', quantile(writes, 0.99), writes, 30),
      bounded('endpoint change over the API to ACK, p50', 'ms', quantile(endpoints, 0.5), endpoints, 10),
      bounded('endpoint change over the API to ACK, p99', 'ms', quantile(endpoints, 0.99), endpoints, 30),
      bounded('endpoint change, committed to ACK, p50', 'ms', quantile(fromCommit, 0.5), fromCommit, 3),
      bounded('endpoint change, committed to ACK, p99', 'ms', quantile(fromCommit, 0.99), fromCommit, 15),
      bounded('control plane CPU a write', 'ms', perWrite, [perWrite], 10),
      bounded('control plane idle at 100 x 3', '% of a core', atRest, [atRest], 1),
      bounded(`control plane idle after ${2 * samples} writes`, '% of a core', after, [after], 1),
      bounded('control plane memory at 100 x 3', 'MiB', memoryBefore, [memoryBefore], 150),
      bounded('control plane memory after 600 writes', 'MiB', memory, [memory], 150),
    ];
  } finally {
    agent.stop();
  }
}
