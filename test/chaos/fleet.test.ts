/**
 * A fleet under random faults: instances are killed, hang, are slow to start, come and go by scaling and drains, policies and routes change,
 * the control plane is killed, the gateway is replaced. Meanwhile clients open, use and close sessions. Connecting must succeed, and no session may end that
 * was not on an instance that was killed or had to be started again. SWITCHBOARD_CHAOS=long runs 30 minutes, SWITCHBOARD_CHAOS_SECONDS any time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { seeded, type Random } from '../support/random.ts';
import type { OpenSession } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const LONG = process.env['SWITCHBOARD_CHAOS'] === 'long';
const SECONDS = Number(process.env['SWITCHBOARD_CHAOS_SECONDS'] ?? (LONG ? 1_800 : 15));
const SEED = Number(process.env['SWITCHBOARD_SEED_NUMBER'] ?? 20_261_125);
const CLIENTS = 30;
const INSTANCES = 5;
/** A session that ends this long after its instance was killed, ended by the kill. */
const AFTERMATH_MS = 15_000;

interface Tally {
  attempts: number;
  readonly failures: string[];
  readonly unexplained: string[];
  slowestMs: number;
}

/** One client: opens a session, uses it for a while, closes it, comes back at once; also when it was cut. */
async function client(
  world: World,
  random: Random,
  tally: Tally,
  isInjected: (instance: string) => boolean,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    tally.attempts += 1;
    const begin = performance.now();
    let session: OpenSession;
    try {
      session = await world.open('fleet');
    } catch (error) {
      tally.failures.push(
        `${new Date().toISOString()} after ${Math.round(performance.now() - begin)} ms: ${String(error)}`,
      );
      await sleep(100);
      continue;
    }
    tally.slowestMs = Math.max(tally.slowestMs, performance.now() - begin);
    const { socket } = session;
    const isCut = (): boolean => socket.readyState !== socket.OPEN;
    const rounds = 1 + random.below(40);
    for (let round = 0; round < rounds && !isOver(); round += 1) {
      if (isCut()) break;
      // A hanging instance answers nothing; the client waits for it like a person would.
      await Promise.race([session.ask(String(round)).catch(() => undefined), session.closed, sleep(2_000)]);
      await sleep(50 + random.below(150));
    }
    const cut = isCut();
    if (cut && !isInjected(session.greeting.instance))
      tally.unexplained.push(`${new Date().toISOString()} a session on ${session.greeting.instance} ended`);
    if (!cut) await Promise.race([session.close(), sleep(2_000)]);
    socket.terminate();
  }
}

it(
  `lives through ${SECONDS} s of faults (seed ${SEED})`,
  async () => {
    const random = seeded(SEED);
    const spec = {
      replicas: INSTANCES,
      probe: { type: 'websocket', interval: '1s' },
      restart: { initialBackoff: '100ms', maxBackoff: '500ms', maxFailures: 1000 },
      health: { onUnhealthy: 'restart', restartAfter: '3s' },
    };
    await using world = await startWorld({ seed: [echoService('fleet', spec, ['--slow', '300'])] });
    const injected = new Map<string, number>();
    const isInjected = (instance: string): boolean =>
      performance.now() - (injected.get(instance) ?? -Infinity) < AFTERMATH_MS;
    const tally: Tally = { attempts: 0, failures: [], unexplained: [], slowestMs: 0 };
    const done: Record<string, number> = {};
    const end = performance.now() + SECONDS * 1_000;
    const isOver = (): boolean => performance.now() > end;
    const clients = Array.from({ length: CLIENTS }, async (_, number) =>
      client(world, seeded(SEED + number + 1), tally, isInjected, isOver),
    );

    const steady = async (): Promise<void> => {
      await world.until(
        'the fleet is well again',
        async () => {
          const { status } = await world.client.service('fleet');
          return status.ready >= status.wanted;
        },
        60_000,
      );
    };
    const someone = async (): Promise<{ id: string; pid: number }> => {
      const { items } = await world.client.instances({ service: 'fleet' });
      const ready = items.filter(
        (one) => one.state === 'ready' && one.drain === undefined && one.process !== undefined,
      );
      const chosen = ready[random.below(ready.length)];
      return { id: chosen?.id ?? '', pid: chosen?.process?.pid ?? 0 };
    };
    const policies = ['least-connections', 'round-robin', 'random'];
    const faults: Record<string, () => Promise<unknown>> = {
      async kill() {
        const { id, pid } = await someone();
        injected.set(id, performance.now());
        process.kill(pid, 'SIGKILL');
      },
      async hang() {
        const { id, pid } = await someone();
        injected.set(id, performance.now());
        process.kill(pid, 'SIGSTOP');
      },
      scaleUp: async () => world.client.scale('fleet', INSTANCES + 1 + random.below(2)),
      scaleDown: async () => world.client.scale('fleet', INSTANCES),
      async drain() {
        const { id } = await someone();
        await world.client.drain({ kind: 'instance', id }, { then: 'keep', policy: 'wait', reason: 'chaos' });
        await sleep(500 + random.below(1_000));
        await world.client.undrain({ kind: 'instance', id });
      },
      policy: async () =>
        world.client.patchService('fleet', {
          spec: { gateway: { policy: { type: random.pick(policies) } } },
        }),
      routes: async () =>
        world.client.putRoute('chaos', {
          spec: { match: { path: { prefix: `/r${random.below(1_000)}` } }, target: { service: 'fleet' } },
        }),
      settings: async () =>
        world.client.patchService('fleet', { spec: { gateway: { handshakeTimeout: `${8 + random.below(4)}s` } } }),
      async controlPlane() {
        await world.killControlPlane();
        await sleep(random.below(1_500));
        await world.startControlPlane();
      },
      async gateway() {
        // While the one before serves sessions still, there can be no third.
        if ((await world.status()).envoy.former === null) await world.client.restartGateway('gateway-1');
        else skipped += 1;
      },
    };
    let skipped = 0;
    const names = Object.keys(faults);
    while (!isOver()) {
      const name = random.pick(names);
      await faults[name]?.();
      done[name] = (done[name] ?? 0) + 1;
      await sleep(200 + random.below(800));
      await steady();
    }
    await Promise.all(clients);
    const success = 1 - tally.failures.length / tally.attempts;
    console.log(
      `chaos: ${tally.attempts} connects, ${tally.failures.length} failed (${(100 * success).toFixed(4)} %), slowest ${Math.round(tally.slowestMs)} ms, ` +
        `${tally.unexplained.length} sessions ended without a cause; faults: ${JSON.stringify(done)}, ${skipped} of gateway not done`,
    );
    expect(tally.unexplained).toEqual([]);
    // 99.99 %: in a short run that is none at all.
    expect(tally.failures.slice(0, Math.max(0, tally.failures.length - Math.floor(tally.attempts / 10_000)))).toEqual(
      [],
    );
  },
  SECONDS * 1_000 + 180_000,
);
