/**
 * Our Envoy against one with a hand-written static configuration of the same features (same filters, access log to a gRPC server, retries, health
 * check, buffers), both in front of the same agent, in interleaved rounds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startEchoAgent, startStaticEnvoy, type Running } from './processes.ts';
import { startWorld } from '../support/world.ts';
import { compared, type Figure } from './figure.ts';
import { closeAll, cpuOf, memoryOf, openMany, pingPong } from './load.ts';
import { staticConfiguration } from './static-envoy.ts';

const TICK_MS = 10;
const SETTLE_MS = 500;

async function startStatic(agentPort: number, alsPort: number): Promise<Running & { port: number }> {
  return startStaticEnvoy(
    (port) => staticConfiguration({ port, agentPort, alsPort }),
    async (port) => {
      const opened = await openMany(`ws://127.0.0.1:${port}/agents/echo`, 1).catch(() => undefined);
      if (opened !== undefined) await closeAll(opened);
      return opened !== undefined;
    },
  );
}

export async function dataPath(quick: boolean): Promise<Figure[]> {
  const agent = await startEchoAgent();
  await using world = await startWorld({
    seed: [
      {
        kind: 'Service',
        name: 'echo',
        spec: {
          runtime: 'external',
          addresses: [{ host: '127.0.0.1', port: agent.port }],
          probe: { type: 'websocket', interval: '10s' },
        },
      },
    ],
  });
  await world.until('the agent is reached', async () => {
    await closeAll(await openMany(world.url('echo'), 1));
    return true;
  });
  const status = await world.status();
  const reference = await startStatic(agent.port, status.xds.port);
  const sides = [
    { pid: status.envoy.pid ?? 0, url: world.url('echo') },
    { pid: reference.pid, url: `ws://127.0.0.1:${reference.port}/agents/echo` },
  ] as const;
  const rounds = quick ? 3 : 9;
  const roundTrips: number[][] = [[], []];
  const perMessage: number[][] = [[], []];
  const perConnect: number[][] = [[], []];
  const perSession: number[][] = [[], []];
  try {
    for (let round = 0; round < rounds; round += 1) {
      // The order changes each round, so that neither side is always the warmer.
      for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const { pid, url } = sides[side === 0 ? 0 : 1];
        const sockets = await openMany(url, 20);
        // What the control plane does about sessions that open and close takes processor time from the first messages.
        await pingPong(sockets, SETTLE_MS);
        const before = cpuOf(pid);
        const { messages, roundTripMs } = await pingPong(sockets, quick ? 800 : 2_000);
        perMessage[side]?.push((Math.max(cpuOf(pid) - before, TICK_MS) * 1000) / messages);
        roundTrips[side]?.push(roundTripMs);
        await closeAll(sockets);

        const connects = quick ? 500 : 1_500;
        const start = cpuOf(pid);
        for (let done = 0; done < connects; done += 50) await closeAll(await openMany(url, 50));
        perConnect[side]?.push(((cpuOf(pid) - start) * 1000) / connects);
      }
    }
    for (const side of [0, 1] as const) {
      const { pid, url } = sides[side];
      const empty = memoryOf(pid);
      const sockets = await openMany(url, quick ? 500 : 2_000);
      await sleep(500);
      perSession[side]?.push((memoryOf(pid) - empty) / sockets.length);
      await closeAll(sockets);
    }
  } finally {
    reference.stop();
    agent.stop();
  }
  return [
    compared('message round trip', 'ms', roundTrips[0] ?? [], roundTrips[1] ?? [], 1.02),
    compared('Envoy CPU per message', 'us', perMessage[0] ?? [], perMessage[1] ?? [], 1.02),
    compared('Envoy CPU per connection', 'us', perConnect[0] ?? [], perConnect[1] ?? [], 1.05),
    compared('memory per idle session', 'KiB', perSession[0] ?? [], perSession[1] ?? [], 1.02),
  ];
}
