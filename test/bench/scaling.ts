/** From zero with fifty clients waiting, and a load step from 10 to 500 sessions: beside the agent's own start. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openSession } from '../support/sessions.ts';
import { echoService, startWorld } from '../support/world.ts';
import { AUTOSCALER_TICK_MS } from '../../control-plane/src/reconcile/autoscaler.ts';
import { agentStart } from './lifecycle.ts';
import { bounded, median, type Figure } from './figure.ts';

async function fromZero(rounds: number): Promise<Figure> {
  const overheads: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const autoscale = { min: 0, max: 3, zero: { idle: '10m' } };
    await using world = await startWorld({
      seed: [echoService('sleeper', { replicas: 0, autoscale })],
      waitReady: false,
    });
    await world.acked();
    const own = await agentStart();
    const begin = performance.now();
    const sessions = await Promise.all(Array.from({ length: 50 }, async () => openSession(world.url('sleeper'))));
    overheads.push(performance.now() - begin - own);
    for (const { socket } of sessions) socket.terminate();
  }
  return bounded(
    "from zero, 50 clients wait: until the last is in, beyond the agent's own start",
    'ms',
    median(overheads),
    overheads,
    300,
  );
}

/** Until as many are wanted as hold the sessions, and as many as keep each at the policy's share: from the first of the 490 that come, and from the last. */
async function loadStep(rounds: number): Promise<Figure[]> {
  const ticks = { holdFirst: [] as number[], holdLast: [] as number[], first: [] as number[], last: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const autoscale = { sessions: 100, max: 20, scaleUp: { instances: 10 } };
    await using world = await startWorld({ seed: [echoService('busy', { autoscale })] });
    const few = await world.crowd('busy', 10, 5_000);
    // At any moment between two looks.
    await sleep((3 + round / rounds) * AUTOSCALER_TICK_MS);
    const begin = performance.now();
    const opening = world.crowd('busy', 490, 5_000).then((many) => ({ many, at: performance.now() }));
    const wants = async (count: number): Promise<number> =>
      world.until(`${count} are wanted`, async () => {
        const { scale } = await world.client.autoscale('busy');
        return (scale?.replicas ?? 1) >= count && performance.now();
      });
    const holding = await wants(5);
    const wanted = await wants(8);
    const { many, at } = await opening;
    ticks.holdFirst.push((holding - begin) / AUTOSCALER_TICK_MS);
    ticks.holdLast.push(Math.max(0, holding - at) / AUTOSCALER_TICK_MS);
    ticks.first.push((wanted - begin) / AUTOSCALER_TICK_MS);
    ticks.last.push(Math.max(0, wanted - at) / AUTOSCALER_TICK_MS);
    for (const { socket } of [...few.sessions, ...many.sessions]) socket.terminate();
  }
  const figure = (what: string, values: number[]): Figure =>
    bounded(`10 to 500 sessions, until ${what}`, 'evaluation ticks', median(values), values, 2);
  return [
    figure('instances for all are being started, from the first that opens', ticks.holdFirst),
    figure('instances for all are being started, from the last that opens', ticks.holdLast),
    figure('as many as keep each at 70 % are being started, from the first', ticks.first),
    figure('as many as keep each at 70 % are being started, from the last', ticks.last),
  ];
}

export async function scaling(quick: boolean): Promise<Figure[]> {
  return [await fromZero(quick ? 3 : 7), ...(await loadStep(quick ? 3 : 6))];
}
