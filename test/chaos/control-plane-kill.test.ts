/**
 * Laws 2 and 5 over the whole: the control plane is killed at seeded moments (while it starts, while it writes, while it is idle) under acknowledged writes and
 * open sessions. Every acknowledged write is there, what was written together is there together, and neither Envoy, agents nor sessions notice.
 * SWITCHBOARD_CHAOS=long kills hundreds of times.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { echoService, startWorld, type World } from '../support/world.ts';

const ROUNDS = process.env['SWITCHBOARD_CHAOS'] === 'long' ? 300 : 15;
const SEED = Number(process.env['SWITCHBOARD_SEED_NUMBER'] ?? 20_261_125);
const WRITERS = 3;

interface Lane {
  readonly name: string;
  acknowledged: number;
  tried: number;
}

/** Writes pairs of services, each with the next number, until the control plane is gone. */
async function write(world: World, lane: Lane, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    lane.tried += 1;
    const labels = { n: String(lane.tried) };
    const pair = ['a', 'b'].map((half) => ({
      kind: 'Service',
      name: `${lane.name}-${half}`,
      labels,
      spec: { runtime: 'external' },
    }));
    try {
      await world.client.apply(pair);
      lane.acknowledged = lane.tried;
    } catch {
      // It was killed: this write may be there or not.
      return;
    }
  }
}

it(`the control plane survives ${ROUNDS} kills (seed ${SEED})`, async () => {
  let seed = SEED;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  await using world = await startWorld({ name: 'chaos', seed: [echoService('weather', { replicas: 2 })] });
  const crowd = await world.crowd('weather', 30, 250);
  const before = await world.status();
  const pids = (status: typeof before): unknown[] => status.agents.map(({ instance, pid }) => [instance, pid]).sort();
  const lanes = Array.from({ length: WRITERS }, (_, n): Lane => ({ name: `lane-${n}`, acknowledged: 0, tried: 0 }));
  let lastRevision = before.revision;

  for (let round = 0; round < ROUNDS; round += 1) {
    const stop = new AbortController();
    const writing = lanes.map(async (lane) => write(world, lane, stop.signal));
    await sleep(random(400));
    await world.killControlPlane();
    stop.abort();
    await Promise.all(writing);
    if (round % 4 === 3) {
      // Killed again while it starts.
      const starting = world.startControlPlane().catch(() => undefined);
      await sleep(random(900));
      await world.killControlPlane();
      await starting;
    }
    await world.startControlPlane();

    const { items, revision } = await world.client.services();
    const numberOf = (name: string): number => Number(items.find((one) => one.name === name)?.labels['n'] ?? 0);
    for (const lane of lanes) {
      const [a, b] = [numberOf(`${lane.name}-a`), numberOf(`${lane.name}-b`)];
      expect([round, lane.name, b]).toEqual([round, lane.name, a]);
      expect(a).toBeGreaterThanOrEqual(lane.acknowledged);
      expect(a).toBeLessThanOrEqual(lane.tried);
    }
    expect(revision).toBeGreaterThanOrEqual(lastRevision);
    lastRevision = revision;
    const now = await world.status();
    expect(pids(now)).toEqual(pids(before));
    expect(now.envoy).toMatchObject({ pid: before.envoy.pid, adopted: true });
    expect(crowd.cut()).toBe(0);
  }
  expect(Math.min(...lanes.map((lane) => lane.acknowledged))).toBeGreaterThan(0);
  expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
  await crowd.close();
}, 3_600_000);
