/**
 * The control plane is killed at each step of each strategy: whenever the rollout or the state of an instance is a new one. It goes on from there with the
 * same version and weight, nothing is started twice, no session is cut. SWITCHBOARD_CHAOS=long goes from version to version many times.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { seeded } from '../support/random.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const ROUNDS = process.env['SWITCHBOARD_CHAOS'] === 'long' ? 20 : 1;
const SEED = Number(process.env['SWITCHBOARD_SEED_NUMBER'] ?? 20_261_125);
const REPLICAS = 2;

const STRATEGIES: Record<string, Record<string, unknown>> = {
  recreate: { strategy: 'recreate' },
  rolling: { strategy: 'rolling' },
  'blue-green': { strategy: 'blue-green', autoPromote: false, keepOld: '2s' },
  canary: {
    strategy: 'canary',
    steps: [
      { weight: 10, pause: '0s' },
      { weight: 50, pause: 'manual' },
    ],
  },
};
const NAMES = Object.keys(STRATEGIES);
/** Recreate ends all old instances before it starts new ones, so it waits for their sessions. */
const WITH_SESSIONS = NAMES.filter((name) => name !== 'recreate');

const documents = (version: number): Record<string, unknown>[] =>
  NAMES.map((name) =>
    echoService(name, { replicas: REPLICAS, rollout: STRATEGIES[name] }, ['--slow', '300', '--mark', `v${version}`]),
  );

interface Seen {
  readonly revision: number;
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly phase: string;
  readonly stage: number;
  readonly weight: number;
  readonly reason: string;
}

async function rolloutOf(world: World, service: string): Promise<Seen> {
  const { revision, number, from, to, phase, stage, weight, reason } = await world.client.rollout(service);
  return { revision, number, from, to, phase, stage, weight, reason };
}

/** After a restart it is where it was, or further: never at another version, an earlier stage or a smaller weight. */
function expectGoesOn(was: Seen, is: Seen): void {
  if (is.revision === was.revision) expect(is).toEqual(was);
  expect([is.number, is.from, is.to]).toEqual([was.number, was.from, was.to]);
  expect(is.stage).toBeGreaterThanOrEqual(was.stage);
  expect(is.weight).toBeGreaterThanOrEqual(was.weight);
  expect(is.phase).not.toBe('aborted');
}

it(`rollouts go on over a kill at each of their steps (${ROUNDS} rounds, seed ${SEED})`, async () => {
  const random = seeded(SEED);
  await using world = await startWorld({ seed: documents(1) });
  const crowds = await Promise.all(WITH_SESSIONS.map(async (name) => world.crowd(name, 8, 250)));
  /** Every process that an instance was ever seen with. */
  const processes = new Map<string, Set<number>>();
  const kills: Record<string, number> = {};

  /** Where the rollout is, and in which state each of its instances. */
  async function look(service: string, version: number): Promise<{ rollout: Seen; states: string }> {
    const { items } = await world.client.instances({ service });
    for (const { id, version: own, process } of items) {
      const key = `${own} ${id}`;
      const pids = processes.get(key) ?? new Set<number>();
      processes.set(key, process === undefined ? pids : pids.add(process.pid));
    }
    const created = [...processes.keys()].filter((key) => key.startsWith(`${version} ${service}-`));
    expect(created.length).toBeLessThanOrEqual(REPLICAS);
    const states = items.map((one) => `${one.version} ${one.state}`).sort();
    return { rollout: await rolloutOf(world, service), states: states.join() };
  }

  async function oneRollout(service: string, version: number): Promise<void> {
    await world.client.apply(documents(version).filter(({ name }) => name === service));
    const steps = new Set<string>();
    for (;;) {
      const { rollout, states } = await look(service, version);
      const { phase, stage, weight, reason, revision } = rollout;
      const step = [phase, stage, weight, reason, states].join(' ');
      if (!steps.has(step)) {
        steps.add(step);
        await sleep(random.below(60));
        const before = await rolloutOf(world, service);
        await world.killControlPlane();
        kills[service] = (kills[service] ?? 0) + 1;
        await sleep(random.below(100));
        await world.startControlPlane();
        expectGoesOn(before, await rolloutOf(world, service));
        continue;
      }
      if (phase === 'completed') return;
      if (reason === 'AwaitsPromotion')
        await world.client.steerRollout(service, 'promote', { expectRevision: revision });
      await sleep(10);
    }
  }

  for (let round = 0; round < ROUNDS; round += 1) {
    const version = round + 2;
    for (const name of NAMES) await oneRollout(name, version);
    // Each instance of the new version was started once, as itself and its log tell.
    const { items } = await world.client.instances();
    for (const name of NAMES) {
      const own = items.filter((one) => one.service === name && one.version === version);
      expect([name, own.length, own.map((one) => one.restarts)]).toEqual([name, REPLICAS, [0, 0]]);
      for (const { id } of own) {
        const log = readFileSync(join(world.data, 'instances', id, 'stdout.log'), 'utf8');
        expect([id, log.split('listening on').length - 1, processes.get(`${version} ${id}`)?.size]).toEqual([id, 1, 1]);
      }
    }
  }
  console.log(`rollouts: kills ${JSON.stringify(kills)}`);
  for (const name of NAMES) expect([name, (kills[name] ?? 0) >= 3 * ROUNDS]).toEqual([name, true]);
  for (const crowd of crowds) {
    expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
    await crowd.close();
  }
}, 3_600_000);
