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

/** Capacity for 500 sessions at 100 x 0.7 an instance is eight; from one, five are allowed at first and ten within 15 s more. */
async function loadStep(rounds: number): Promise<Figure> {
  const beyond: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const autoscale = { sessions: 100, max: 20, scaleUp: { instances: 10 } };
    await using world = await startWorld({ seed: [echoService('busy', { autoscale })] });
    const few = await world.crowd('busy', 10, 5_000);
    await sleep(3 * AUTOSCALER_TICK_MS);
    const begin = performance.now();
    const many = await world.crowd('busy', 490, 5_000);
    const wanted = await world.until('more are wanted', async () => {
      const { scale } = await world.client.autoscale('busy');
      return (scale?.replicas ?? 1) >= 8 && performance.now();
    });
    beyond.push((wanted - begin) / AUTOSCALER_TICK_MS);
    for (const { socket } of [...few.sessions, ...many.sessions]) socket.terminate();
  }
  return bounded(
    '10 to 500 sessions, from their first: until capacity for all is being started',
    'evaluation ticks',
    median(beyond),
    beyond,
    2,
  );
}

export async function scaling(quick: boolean): Promise<Figure[]> {
  return [await fromZero(quick ? 3 : 7), await loadStep(quick ? 2 : 4)];
}
