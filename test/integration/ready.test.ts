/** What is called ready lets clients in: the gateway's check fits the probe, and where it does not, everything says so, and what to set. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { openSession } from '../support/sessions.ts';
import { repository, startWorld, type World } from '../support/world.ts';

const agent = join(repository, 'test/support/odd-agent.ts');

const oddService = (name: string, args: readonly string[], spec: object = {}): Record<string, unknown> => ({
  kind: 'Service',
  name,
  spec: { launch: { command: [process.execPath, agent, ...args] }, probe: { type: 'websocket' }, ...spec },
});

async function letsIn(world: World, service: string): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    const session = await world.open(service);
    expect(await session.ask('x')).toBe('x');
    await session.close();
  }
}

it('an agent whose own probe passes takes sessions, whatever it answers to a plain GET', async () => {
  await using world = await startWorld({
    seed: [
      oddService('closes', ['--get', '0']),
      oddService('fails', ['--get', '500']),
      oddService('by-tcp', ['--get', '0'], { probe: { type: 'tcp' } }),
      // Asked by the gateway what the probe asks: 404 is well for this one.
      oddService('by-http', ['--get', '404'], {
        probe: { type: 'http', options: { path: '/up', status: [404, 404] } },
      }),
      // Each check a session of its own: the next is not sent into the last one.
      oddService('by-websocket', ['--get', '0'], {
        gateway: { healthCheck: { type: 'websocket', interval: '200ms', unhealthyAfter: 1 } },
      }),
    ],
  });
  const names = ['closes', 'fails', 'by-tcp', 'by-http', 'by-websocket'];
  await Promise.all(names.map(async (name) => world.ready(name, 1)));
  await Promise.all(names.map(async (name) => letsIn(world, name)));
  await sleep(1_500);
  await Promise.all(names.map(async (name) => letsIn(world, name)));
  await world.until('all are ready', async () => {
    const { items } = await world.client.services();
    const others = items.filter(({ status }) => status.state !== 'ready');
    if (others.length > 0) throw new Error(others.map(({ name, status }) => `${name}: ${status.message}`).join('; '));
    return true;
  });
}, 60_000);

it('where the gateway turns an agent away that its probe finds well, nobody calls it ready, and it is told what to set', async () => {
  await using world = await startWorld({ seed: [oddService('weather', ['--get', '0'])] });
  await world.ready('weather', 1);
  const session = await world.open('weather');
  const spec = (args: readonly string[], type: string): object => ({
    launch: { command: [process.execPath, agent, ...args] },
    gateway: { healthCheck: { type } },
  });
  // A new version that no client gets into does not take the place of one that they do.
  await world.client.patchService('weather', { spec: spec(['--get', '500'], 'http') });
  const why = await world.until('it is told', async () => {
    const { items } = await world.client.instances({ service: 'weather' });
    return items.find(
      (one) => one.version === 2 && one.health?.gateway === 'failed' && one.health.reason.includes('500'),
    )?.health?.reason;
  });
  expect(why).toBe(
    'the gateway sends it no new sessions: its check (GET / over HTTP) fails: GET / answered 500, not 100 to 499. Its own probe passes: make both agree, or set spec.gateway.healthCheck.type to auto',
  );
  const file = join(world.folder, 'shut.json');
  writeFileSync(
    file,
    JSON.stringify(oddService('shut', ['--get', '0'], { gateway: { healthCheck: { type: 'http' } } })),
  );
  const seen = await runCli(world, ['apply', '-f', file, '--ready', '--timeout', '4s']);
  expect(seen.code).not.toBe(0);
  expect(seen.stdout + seen.stderr).toMatch(/0 of 1 instances are ready; .*spec\.gateway\.healthCheck\.type to auto/);
  for (const args of [
    ['get', 'services', '-o', 'wide'],
    ['get', 'instances', '-o', 'wide'],
    ['describe', 'service', 'shut'],
    ['doctor'],
  ]) {
    const { stdout } = await runCli(world, args);
    expect(stdout, args.join(' ')).toContain('spec.gateway.healthCheck.type');
  }
  expect((await runCli(world, ['check', 'shut'])).code).toBe(7);
  await world.client.patchService('weather', { spec: { gateway: { healthCheck: { type: 'auto' } } } });
  await world.until('it is ready', async () => (await world.client.service('weather')).status.state === 'ready');
  await letsIn(world, 'weather');
  expect(await session.ask('still here')).toBe('still here');
  await session.close();
}, 90_000);

it('an agent that is busy for good is found though its port accepts, by whoever comes to it', async () => {
  await using world = await startWorld({ seed: [oddService('fleet', [], { replicas: 3 })] });
  await world.ready('fleet', 3);
  const last = await world.open('fleet');
  await last.ask('block');
  const begin = Date.now();
  const found = await world.until('it is found', async () => {
    const other = await openSession(world.url('fleet')).catch(() => undefined);
    await other?.close();
    return (await world.client.health(last.greeting.instance)).verdict === 'unhealthy';
  });
  expect(found).toBe(true);
  // By the probe alone it would be found within half a minute.
  expect(Date.now() - begin).toBeLessThan(15_000);
  await letsIn(world, 'fleet');
  last.socket.terminate();
}, 60_000);

it('an agent that listens elsewhere than it is told is told where', async () => {
  await using world = await startWorld({
    seed: [
      oddService('v6', ['--at', '[::1]:31901']),
      oddService('own-port', ['--at', '127.0.0.1:31902']),
      oddService('all', ['--at', '0.0.0.0:31903'], { probe: { type: 'tcp', startTimeout: '4s' } }),
    ],
    waitReady: false,
  });
  const told = async (service: string, text: string): Promise<void> => {
    await world.until(`${service} is told`, async () => {
      const [one] = (await world.client.instances({ service })).items;
      const wanted = `listens on ${text}, not on 127.0.0.1:${one?.address?.port ?? 0}: pass {host} and {port} on to it`;
      const { status } = await world.client.service(service);
      return one?.message.includes(wanted) === true && status.message.includes(wanted);
    });
  };
  const timeIsOver = async (): Promise<void> => {
    await world.until('its time is over', async () => {
      const { items } = await world.client.events({ subject: 'all' });
      const { items: more } = await world.client.instances({ service: 'all' });
      const text = 'was not ready within 4s: connection refused: it listens on 0.0.0.0:31903, not on';
      return [...items, ...more].some(({ message }) => message.includes(text));
    });
  };
  await Promise.all([told('v6', '[::1]:31901'), told('own-port', '127.0.0.1:31902'), timeIsOver()]);
  const checked = await runCli(world, ['check', 'own-port']);
  expect(checked.stdout).toContain('it listens on 127.0.0.1:31902, not on');
  expect((await runCli(world, ['doctor'])).stdout).toContain('listens on [::1]:31901, not on');
}, 60_000);
