/** How evenly sessions lie, who comes back, who moves; what routing by features costs a connection; what ten thousand routes cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { greeted, upgrade } from '../support/upgrade.ts';
import { startWorld, type World } from '../support/world.ts';
import { bounded, compared, median, type Figure } from './figure.ts';
import { closeAll, cpuOf, openMany } from './load.ts';
import { startEchoAgent } from './processes.ts';

const INSTANCES = 10;

/** One echo agent at many addresses of the loopback network: instances are told apart by the address that `explain` and the table show. */
function service(name: string, port: number, count: number, gateway: object = {}): Record<string, unknown> {
  return {
    kind: 'Service',
    name,
    spec: {
      runtime: 'external',
      addresses: Array.from({ length: count }, (_, n) => ({ host: `127.0.1.${n + 1}`, port })),
      probe: { type: 'websocket', interval: '10s' },
      gateway,
    },
  };
}

async function spread(world: World, count: number): Promise<number> {
  const sockets = await openMany(world.url('even'), count);
  await world.until('all are counted', async () => (await world.status()).sessions.open >= count);
  const counts = (await world.client.instances({ service: 'even' })).items.map((one) => one.sessions);
  await closeAll(sockets);
  return Math.max(...counts) / Math.max(1, Math.min(...counts));
}

/** Share of returns with a cookie that came to the instance that gave it: the instance gives no other cookie then. */
async function returns(world: World, clients: number): Promise<number> {
  let held = 0;
  const port = (await world.status()).gateway.port;
  for (let n = 0; n < clients; n += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, async () => upgrade(port, '/agents/sticky')));
    const again = await Promise.all(
      answers.map(async (one) =>
        upgrade(port, '/agents/sticky', { cookie: one.headers['set-cookie']?.[0]?.split(';')[0] ?? '' }),
      ),
    );
    // A cookie that is honoured is not given anew.
    held += again.filter((one) => one.status === 101 && one.headers['set-cookie'] === undefined).length;
  }
  return held / clients;
}

async function placed(world: World, keys: number): Promise<string[]> {
  const port = (await world.status()).gateway.port;
  const all: string[] = [];
  for (let n = 0; n < keys; n += 20)
    all.push(
      ...(await Promise.all(
        Array.from(
          { length: 20 },
          async (_, k) => greeted(await upgrade(port, `/agents/keyed?affinity=k${n + k}`)).local,
        ),
      )),
    );
  return all;
}

async function tenThousand(world: World, count: number): Promise<Figure[]> {
  const documents = Array.from({ length: count }, (_, n) => ({
    kind: 'Route',
    name: `r-${n}`,
    spec: {
      match: { path: { prefix: `/t/${n}` }, ...(n % 3 === 0 ? { headers: [{ name: 'x-tier', equals: 'gold' }] } : {}) },
      target: { service: n % 2 === 0 ? 'even' : 'plain' },
    },
  }));
  const begin = performance.now();
  for (let n = 0; n < count; n += 1_000) await world.client.apply(documents.slice(n, n + 1_000), { wait: true });
  const all = (performance.now() - begin) / 1000;
  const changes: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    const start = performance.now();
    await world.client.apply([{ ...documents[n], spec: { ...documents[n]?.spec, rewrite: `/x${n}` } }], { wait: true });
    changes.push(performance.now() - start);
  }
  const port = (await world.status()).gateway.port;
  const last = await upgrade(port, `/t/${count - 1}/x`, { 'x-tier': 'gold' });
  if (last.status !== 101) throw new Error(`the last route gives ${last.status}`);
  return [
    bounded(`applying ${count} routes, a thousand at a time`, 's', all, [all], 120),
    bounded(`one changed route of ${count}, write to ACK`, 'ms', median(changes), changes, 1_500),
  ];
}

async function costs(world: World, cases: readonly { name: string; url: string }[], rounds: number): Promise<Figure[]> {
  const pid = (await world.status()).envoy.pid ?? 0;
  const cost: number[][] = cases.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    const order = cases.map((_, index) => (index + round) % cases.length);
    for (const index of order) {
      const { url } = cases[index] ?? { url: '' };
      const before = cpuOf(pid);
      for (let done = 0; done < 1_000; done += 50) await closeAll(await openMany(url, 50));
      // Milliseconds for a thousand are microseconds for one.
      cost[index]?.push(cpuOf(pid) - before);
    }
  }
  return cases
    .slice(1)
    .map(({ name }, index) =>
      compared(`Envoy CPU per connection, ${name}`, 'us', cost[index + 1] ?? [], cost[0] ?? [], 1.25),
    );
}

export async function routing(quick: boolean): Promise<Figure[]> {
  const agent = await startEchoAgent('0.0.0.0');
  const pace = { perSecond: 100_000, burst: 1_000_000 };
  await using world = await startWorld({
    seed: [
      service('plain', agent.port, 1),
      service('even', agent.port, INSTANCES),
      service('sticky', agent.port, INSTANCES, { affinity: { type: 'cookie' } }),
      service('keyed', agent.port, INSTANCES, { affinity: { type: 'key' } }),
      service('everything', agent.port, 1, {
        affinity: { type: 'cookie' },
        limits: { newPerInstance: pace, newPerClient: pace },
      }),
    ],
  });
  try {
    await world.until('all are ready', async () =>
      (await world.client.instances()).items.every((one) => one.state === 'ready'),
    );
    await sleep(1_000);
    const ratios: number[] = [];
    for (let round = 0; round < (quick ? 1 : 3); round += 1) ratios.push(await spread(world, 1_000));
    const kept = await returns(world, quick ? 200 : 1_000);
    const keys = quick ? 400 : 2_000;
    const before = await placed(world, keys);
    await world.client.apply([service('keyed', agent.port, INSTANCES + 1, { affinity: { type: 'key' } })], {
      wait: true,
    });
    await world.until('the new one is ready', async () => {
      const { items } = await world.client.instances({ service: 'keyed' });
      return items.length === INSTANCES + 1 && items.every((one) => one.state === 'ready');
    });
    await sleep(500);
    const after = await placed(world, keys);
    const moved = after.filter((one, index) => one !== before[index]).length / (keys / (INSTANCES + 1));
    const cost = await costs(
      world,
      [
        { name: 'plain', url: world.url('plain') },
        { name: 'with affinity and limits', url: world.url('everything') },
      ],
      quick ? 3 : 9,
    );
    const many = await tenThousand(world, quick ? 2_000 : 10_000);
    const lookup = await costs(
      world,
      [
        { name: 'plain', url: world.url('plain') },
        {
          name: 'at the end of all routes',
          url: world.url('plain').replace('/agents/plain', `/t/${quick ? 1_999 : 9_997}`),
        },
      ],
      3,
    );
    return [
      bounded('1,000 sessions over 10 instances, largest to smallest', '', median(ratios), ratios, 1.15),
      bounded('returns with a cookie that were not honoured', '%', 100 * (1 - kept), [100 * (1 - kept)], 0),
      bounded('keys that move when an instance is added, against the ideal', 'x', moved, [moved], 1.5),
      ...cost,
      ...many,
      ...lookup,
    ];
  } finally {
    agent.stop();
  }
}
