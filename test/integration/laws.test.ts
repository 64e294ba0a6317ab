/** The laws of the architecture, on real processes: no session is cut that nobody asked to cut, and the data path outlives the control plane. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const SESSIONS = Number(process.env['SWITCHBOARD_TEST_SESSIONS'] ?? 500);
/** Both forms of xDS; a smaller crowd shows the same of the second. */
const VARIANTS: readonly (readonly [variant: string, sessions: number])[] = [
  ['delta', SESSIONS],
  ['sotw', Math.min(60, SESSIONS)],
];

async function pidsOf(world: World): Promise<Map<string, number | null>> {
  return new Map((await world.status()).agents.map((agent) => [agent.instance, agent.pid]));
}

it.each(VARIANTS)(
  'law 1 over %s: %i open sessions live through every operation of the API',
  async (variant, count) => {
    await using world = await startWorld({
      name: 'zero cut',
      environment: { SWITCHBOARD_ENVOY_XDS: variant },
      seed: [echoService('weather', { replicas: 2 }), echoService('finance')],
    });
    const crowd = await world.crowd('weather', count, 500);
    const { client } = world;
    const ended: string[] = [];
    const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      await work();
      await sleep(150);
      if (crowd.cut() > 0 && ended.length === 0) ended.push(`${crowd.cut()} sessions ended at: ${name}`);
    };
    await world.until(
      'all sessions show',
      async () => (await client.sessions({ service: 'weather', limit: 1 })).total === count,
    );
    expect((await client.gateways()).items[0]?.variant).toBe(variant);

    await step('scale up', async () => client.scale('weather', 4, { wait: true }));
    await step('a new service', async () => client.putService('other', echoService('other'), { wait: true }));
    await step('a route', async () =>
      client.putRoute(
        'chat',
        { spec: { match: { path: { prefix: '/chat' } }, target: { service: 'weather' }, rewrite: '/' } },
        { wait: true },
      ),
    );
    await step('a changed route', async () =>
      client.putRoute(
        'chat',
        { spec: { match: { path: { prefix: '/talk' } }, target: { service: 'weather' }, rewrite: '/' } },
        { wait: true },
      ),
    );
    await step('a deleted route', async () => client.deleteRoute('chat', { wait: true }));
    await step('gateway settings', async () =>
      client.patchService(
        'weather',
        { spec: { gateway: { handshakeTimeout: '5s', policy: { type: 'round-robin' }, maxSessions: 5000 } } },
        { wait: true },
      ),
    );
    await step('labels', async () => client.patchService('weather', { labels: { tier: 'gold' } }, { wait: true }));
    await step('a new version', async () => {
      const dry = await client.patchService('weather', { spec: { launch: { env: { MARK: 'v2' } } } }, { dryRun: true });
      expect(dry.impact).toMatchObject({ endsNow: 0, drains: count });
      await client.patchService('weather', { spec: { launch: { env: { MARK: 'v2' } } } }, { wait: true });
    });
    await step('a restart of another service', async () => client.restart('finance', { wait: true }));
    await step('a restart', async () => client.restart('weather', { wait: true }));
    await step('scale down', async () => client.scale('weather', 1, { wait: true }));
    await step('apply of a whole file', async () =>
      client.apply(
        [echoService('weather', { replicas: 2 }), echoService('finance', { replicas: 2 }), echoService('other')],
        { wait: true },
      ),
    );
    await step('stop', async () => client.stop('weather', { wait: true }));
    await step('start', async () => client.start('weather', { wait: true }));
    await step('delete of a service', async () => client.deleteService('other', { wait: true }));
    await step('a restart of the control plane', async () => {
      await world.killControlPlane();
      await world.startControlPlane();
    });
    await step('delete of the service itself', async () => world.client.deleteService('weather', { wait: true }));
    await sleep(2_000);

    expect(ended).toEqual([]);
    expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
    await crowd.close();
    await world.until(
      'its instances are gone when the last session is',
      async () => (await world.client.instances({ service: 'weather' })).items.length === 0,
      40_000,
    );
  },
  180_000,
);

it('law 1: what ends sessions says so first, and then ends just those', async () => {
  await using world = await startWorld({ seed: [echoService('weather', { replicas: 2 }), echoService('finance')] });
  const weather = await world.crowd('weather', 10);
  const finance = await world.crowd('finance', 10);
  await world.until('all sessions show', async () => (await world.client.sessions()).total === 20);
  const dry = await world.client.stop('weather', { now: true, dryRun: true });
  expect(dry).toMatchObject({ dryRun: true, impact: { endsNow: 10, drains: 0 } });
  await sleep(300);
  expect(weather.cut()).toBe(0);
  expect((await world.client.stop('weather', { now: true })).impact.endsNow).toBe(10);
  await world.until('they have ended', async () => weather.cut() === 10);
  expect(finance.cut()).toBe(0);
  await finance.close();
});

it.each(VARIANTS)(
  'law 2 over %s: kill -9 of the control plane under %i sessions costs nothing, and all is found again',
  async (variant, count) => {
    await using world = await startWorld({
      name: 'kill',
      environment: { SWITCHBOARD_ENVOY_XDS: variant },
      seed: [echoService('weather', { replicas: 3 })],
    });
    const crowd = await world.crowd('weather', count, 250);
    const before = await pidsOf(world);
    const { envoy } = await world.status();
    for (let round = 0; round < 3; round += 1) {
      await world.killControlPlane();
      const late = await Promise.all(Array.from({ length: 20 }, async () => world.open('weather')));
      await Promise.all(late.map(async (session) => session.close()));
      await sleep(300);
      await world.startControlPlane();
    }
    expect(await pidsOf(world)).toEqual(before);
    const after = await world.status();
    expect(after.envoy).toMatchObject({ pid: envoy.pid, adopted: true, state: 'running' });
    expect((await world.client.instances()).items.map((one) => one.state)).toEqual(['ready', 'ready', 'ready']);
    expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
    await world.until(
      'every session is known again',
      async () => (await world.client.sessions({ limit: 1 })).total === count,
      30_000,
    );
    await crowd.close();
  },
  120_000,
);

it('law 2: an agent that dies while the control plane is away does not keep others from being reached', async () => {
  await using world = await startWorld({ seed: [echoService('weather', { replicas: 2 })] });
  const [victim] = [...(await pidsOf(world)).values()];
  await world.killControlPlane();
  process.kill(victim ?? 0, 'SIGKILL');
  for (let round = 0; round < 30; round += 1) {
    const session = await world.open('weather');
    expect(session.greeting.pid).not.toBe(victim);
    await session.close();
  }
  await world.startControlPlane();
  await world.ready('weather', 2);
});

it('law 3: a write is answered with the revision that every Envoy runs, and its timeline can be read', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const answer = await world.client.putRoute(
    'chat',
    { spec: { match: { path: { exact: '/chat' } }, target: { service: 'weather' }, rewrite: '/' } },
    { wait: true },
  );
  expect(answer.acks).toMatchObject({ acked: ['gateway-1'], pending: [], refused: [] });
  const timeline = await world.client.revision(answer.revision);
  expect(timeline.changes).toEqual([{ op: 'put', key: 'route/chat' }]);
  expect(timeline.gateways).toMatchObject([{ node: 'gateway-1', state: 'acked' }]);
  expect(timeline.publishedAt).not.toBeNull();
});

it('law 4 and 5: a bad write changes nothing, and a lost race is told', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const before = await world.client.service('weather');
  const bad: unknown = await world.client
    .apply([echoService('good'), { kind: 'Service', name: 'bad', spec: { launch: { command: [] }, nope: 1 } }])
    .catch((error: unknown) => error);
  expect(isError(bad, 'invalid') ? bad.issues.map((issue) => issue.path) : bad).toEqual([
    'documents.1.spec.launch.command',
    'documents.1.spec.nope',
  ]);
  expect((await world.client.services()).items.map((one) => one.name)).toEqual(['weather']);
  const writes = await Promise.allSettled(
    Array.from({ length: 10 }, async (_, n) =>
      world.client.patchService('weather', { labels: { winner: String(n) } }, { expectRevision: before.revision }),
    ),
  );
  expect(writes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  expect(writes.flatMap((one) => (one.status === 'rejected' && isError(one.reason) ? [one.reason.code] : []))).toEqual(
    Array.from({ length: 9 }, () => 'precondition_failed'),
  );
});

it('law 8: a secret reaches the agent and is nowhere else', async () => {
  const secret = 'top-s3cret-value';
  await using world = await startWorld({
    seed: [
      echoService('weather', {
        launch: {
          command: [
            process.execPath,
            '-e',
            "if ([...process.env.KEY].reverse().join('') !== 'eulav-terc3s-pot') process.exit(9); require('node:http').createServer((_, answer) => answer.end()).listen({port})",
          ],
          env: { KEY: { fromEnv: 'MODEL_KEY' } },
        },
        probe: { type: 'tcp' },
      }),
    ],
    environment: { MODEL_KEY: secret },
  });
  const shown = JSON.stringify([
    await world.client.services(),
    await world.client.instances(),
    await world.client.events(),
    await world.client.status(),
    await world.client.versions('weather'),
  ]);
  expect(shown).not.toContain(secret);
  expect(world.log()).not.toContain(secret);
  expect(readFileSync(`${world.data}/switchboard.db`).includes(secret)).toBe(false);
  expect(shown).not.toContain(world.token);
  expect(world.log()).not.toContain(world.token);
});
