/** Whether Envoy grows while sessions come and go. */
import { startWorld } from '../support/world.ts';
import { bounded, type Figure } from './figure.ts';
import { closeAll, memoryOf, openMany } from './load.ts';
import { startEchoAgent } from './processes.ts';

export async function churn(quick: boolean): Promise<Figure[]> {
  const agent = await startEchoAgent();
  await using world = await startWorld({
    seed: [
      {
        kind: 'Service',
        name: 'echo',
        spec: { runtime: 'external', addresses: [{ host: '127.0.0.1', port: agent.port }] },
      },
    ],
  });
  try {
    await world.until('the agent is reached', async () => {
      await closeAll(await openMany(world.url('echo'), 1));
      return true;
    });
    const { envoy, controlPlane } = await world.status();
    const total = quick ? 5_000 : 100_000;
    const sizes: number[] = [];
    const planes: number[] = [];
    for (let done = 0; done < total; done += 100) {
      await closeAll(await openMany(world.url('echo'), 100));
      // The first tenth fills caches and pools.
      if (done >= total / 10 && done % (total / 10) === 0) {
        sizes.push(memoryOf(envoy.pid ?? 0) / 1024);
        planes.push(memoryOf(controlPlane.pid) / 1024);
      }
    }
    const growth = (sizes.at(-1) ?? NaN) - (sizes[0] ?? NaN);
    const planeGrowth = (planes.at(-1) ?? NaN) - (planes[0] ?? NaN);
    return [
      bounded(`Envoy's growth over ${total} sessions`, 'MiB', growth, sizes, 2),
      bounded(`control plane's growth over ${total} sessions`, 'MiB', planeGrowth, planes, 30),
    ];
  } finally {
    agent.stop();
  }
}
