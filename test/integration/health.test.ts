/** Health on its levels with real agents: what is shown, what follows, and what an agent that hangs costs the others. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { runCli } from '../support/cli.ts';
import { openSession } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

async function states(world: World, id: string): Promise<Record<string, string>> {
  const { levels } = await world.client.health(id);
  return Object.fromEntries(levels.map(({ level, state }) => [level, state]));
}

it('every level is shown with its reason, on demand too, and more checks and the agent itself have their say', async () => {
  await using world = await startWorld({
    seed: [
      echoService('weather', {
        health: {
          checks: [
            {
              name: 'page',
              type: 'http',
              options: { path: '/healthz', status: [200, 299] },
              effect: 'degraded',
              interval: '500ms',
              failures: 1,
            },
          ],
        },
      }),
    ],
  });
  const [instance] = (await world.client.instances()).items;
  const id = instance?.id ?? '';
  // The echo agent answers 426 to a plain GET.
  const detail = await world.until('the further check has its verdict', async () => {
    const found = await world.client.health(id);
    return found.verdict === 'degraded' && found.reason.includes('426') && found;
  });
  expect(detail.reason).toBe('check page: GET /healthz answered 426, not 200 to 299');
  expect(detail.checks.map((check) => [check.name, check.verdict])).toEqual([
    ['probe', 'healthy'],
    ['page', 'unhealthy'],
  ]);
  await world.until('all levels are known', async () => {
    // Asks the gateway too.
    await world.client.check(id);
    const found = await states(world, id);
    return found['process'] === 'ok' && found['gateway'] === 'ok';
  });
  expect(await states(world, id)).toEqual({
    process: 'ok',
    tcp: 'ok',
    http: 'failed',
    websocket: 'ok',
    application: 'off',
    gateway: 'ok',
    agent: 'off',
  });
  // Degraded still serves while there is nobody better.
  const session = await world.open('weather');
  expect(await session.ask('x')).toBe('x');

  await world.client.reportLoad(id, { load: 1, status: 'unhealthy', message: 'lost its model' });
  await world.until('its word counts', async () => (await world.client.health(id)).verdict === 'unhealthy');
  expect((await world.client.service('weather')).status.ready).toBe(0);
  const refused = await openSession(world.url('weather')).catch((error: unknown) => String(error));
  expect(refused).toContain('503');
  expect(await session.ask('y')).toBe('y');
  await world.client.reportLoad(id, { load: 0.1 });
  await world.client.patchService('weather', { spec: { health: { checks: [] } } });
  await world.until('it is well', async () => (await world.client.check(id)).verdict === 'healthy');
  const told = await runCli(world, ['check', id]);
  expect(told.code).toBe(0);
  expect(told.stdout).toMatch(/websocket +ok/);
  expect(told.stdout).toMatch(/process +ok/);
  const nobody = await world.client.check('nobody').catch((error: unknown) => error);
  expect(isError(nobody, 'not_found')).toBe(true);
  const wrong = await world.client
    .patchService('weather', { spec: { health: { checks: [{ name: 'a', type: 'nothing' }] } } })
    .catch((error: unknown) => error);
  expect(isError(wrong, 'invalid') && wrong.issues[0]?.path).toBe('spec.health.checks.0.type');
  await session.close();
});

it('an instance that hangs is found at default settings, keeps nobody waiting, and is started again if its service says so', async () => {
  await using world = await startWorld({
    seed: [
      echoService('weather', {
        replicas: 5,
        probe: { type: 'websocket' },
        health: { onUnhealthy: 'restart', restartAfter: '4s' },
      }),
    ],
  });
  const victims = await Promise.all(Array.from({ length: 10 }, async () => world.open('weather')));
  const hung = victims[0]?.greeting;
  process.kill(hung?.pid ?? 0, 'SIGSTOP');
  for (let round = 0; round < 40; round += 1) {
    const session = await world.open('weather');
    expect(session.greeting.instance).not.toBe(hung?.instance);
    await session.close();
    await sleep(20);
  }
  const found = await world.until('it is found', async () => {
    const detail = await world.client.health(hung?.instance ?? '');
    return detail.verdict === 'unhealthy' && detail;
  });
  expect(found.reason).toContain('is stopped by a signal');
  const again = await world.until(
    'it is started again',
    async () => {
      const instance = await world.client.instance(hung?.instance ?? '');
      return instance.state === 'ready' && instance.process?.pid !== hung?.pid && instance;
    },
    30_000,
  );
  expect(again.restarts).toBe(1);
  // Its clients know at last that they have to come back; the others never noticed.
  for (const session of victims) {
    if (session.greeting.instance === hung?.instance) await session.closed;
    else {
      expect(await session.ask('still here')).toBe('still here');
      await session.close();
    }
  }
  const { items } = await world.client.events({ subject: hung?.instance ?? '' });
  expect(items.some((event) => event.message.includes('was unhealthy for 4s'))).toBe(true);
}, 90_000);

it('all instances unhealthy: new sessions are refused at once and told why, open ones stay, and it heals by itself', async () => {
  await using world = await startWorld({ seed: [echoService('weather', { replicas: 2 })] });
  const session = await world.open('weather');
  const { agents } = await world.status();
  for (const agent of agents) process.kill(agent.pid ?? 0, 'SIGSTOP');
  await world.until('all are found', async () => (await world.client.service('weather')).status.ready === 0);
  const refused = await openSession(world.url('weather')).catch((error: unknown) => String(error));
  expect(refused).toContain('503');
  for (const agent of agents) process.kill(agent.pid ?? 0, 'SIGCONT');
  await world.until('all are well', async () => (await world.client.service('weather')).status.ready === 2);
  expect(await session.ask('still here')).toBe('still here');
  await session.close();
  const after = await world.until('new sessions open again', async () => world.open('weather'));
  await after.close();
}, 90_000);
