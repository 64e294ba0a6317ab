/** A rolling update of ten instances under a thousand open sessions that end by themselves and come back, as clients do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openSession } from '../support/sessions.ts';
import { echoService, startWorld } from '../support/world.ts';
import { bounded, type Figure } from './figure.ts';

const INSTANCES = 10;

interface Tally {
  opened: number;
  cut: number;
  readonly failed: string[];
  /** When the last session of each instance was closed by its client. */
  readonly lastLeft: Map<string, number>;
  readonly marks: Set<string>;
}

/** Opens a session, keeps it for its time, closes it, comes back at once. */
async function client(url: string, lifetimeMs: () => number, tally: Tally, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    try {
      const session = await openSession(url);
      tally.opened += 1;
      tally.marks.add(session.greeting.mark);
      const left = await Promise.race([session.closed, sleep(lifetimeMs(), 'leaves' as const)]);
      if (left === 'leaves') {
        tally.lastLeft.set(session.greeting.instance, performance.now());
        await session.close();
      } else tally.cut += 1;
    } catch (error) {
      tally.failed.push(String(error));
      await sleep(50);
    }
  }
}

export async function rolling(quick: boolean): Promise<Figure[]> {
  const sessions = quick ? 200 : 1_000;
  const [shortest, longest] = quick ? [3_000, 8_000] : [10_000, 30_000];
  const service = (mark: string): Record<string, unknown> =>
    echoService('fleet', { replicas: INSTANCES, rollout: { strategy: 'rolling' } }, ['--mark', mark]);
  await using world = await startWorld({ seed: [service('old')], waitReady: false });
  await world.until(
    'all are ready',
    async () => (await world.client.service('fleet')).status.ready === INSTANCES,
    120_000,
  );
  await world.ready('fleet', INSTANCES);
  const tally: Tally = { opened: 0, cut: 0, failed: [], lastLeft: new Map(), marks: new Set() };
  let over = false;
  const clients: Promise<void>[] = [];
  for (let n = 0; n < sessions; n += 1) {
    const lifetime = (): number => shortest + Math.random() * (longest - shortest);
    clients.push(client(world.url('fleet'), lifetime, tally, () => over));
    if (n % 20 === 19) await sleep(50);
  }
  await world.until('all are connected', async () => Promise.resolve(tally.opened >= sessions), 60_000);
  const before = new Set((await world.client.instances({ service: 'fleet' })).items.map((one) => one.id));

  const begin = performance.now();
  await world.client.apply([service('new')]);
  /** When each old instance was first seen to drain. */
  const draining = new Map<string, number>();
  await world.until(
    'all old instances have gone',
    async () => {
      const { items } = await world.client.instances({ service: 'fleet' });
      const old = items.filter((one) => before.has(one.id));
      for (const { id, state } of old)
        if (state === 'draining' && !draining.has(id)) draining.set(id, performance.now());
      await sleep(200);
      return old.length === 0 && (await world.client.rollout('fleet')).phase === 'completed';
    },
    240_000,
  );
  const took = (performance.now() - begin) / 1000;
  over = true;
  await Promise.all(clients);
  const drains = [...draining].map(([id, since]) => ((tally.lastLeft.get(id) ?? since) - since) / 1000);
  const slowest = Math.max(...drains);
  const what = `rolling update of ${INSTANCES} under ${sessions} sessions`;
  if (tally.failed.length > 0) process.stderr.write(`${[...new Set(tally.failed)].slice(0, 5).join('\n')}\n`);
  return [
    bounded(`${what}: sessions cut`, '', tally.cut, [tally.cut], 0),
    bounded(`${what}: failed of ${tally.opened} connects`, '', tally.failed.length, [tally.failed.length], 0),
    bounded(`${what}: the whole beyond its slowest drain (${slowest.toFixed(1)} s)`, 's', took - slowest, drains, 10),
  ];
}
