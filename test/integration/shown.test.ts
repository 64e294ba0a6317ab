/** What is shown is so: of agents that run elsewhere, of addresses that services share, and of the control plane itself. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

let world: World;
const external = (name: string, port: number, spec: object = {}): Record<string, unknown> => ({
  kind: 'Service',
  name,
  spec: {
    runtime: 'external',
    addresses: [{ host: '127.0.0.1', port }],
    probe: { type: 'websocket', interval: '1s' },
    ...spec,
  },
});
const one = async (service: string) => (await world.client.instances({ service })).items[0];
const sessionsOf = async (service: string): Promise<number> => (await world.client.service(service)).status.sessions;

beforeAll(async () => {
  world = await startWorld({ seed: [echoService('home')], name: 'shown' });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

it('an agent elsewhere that does not answer is told so, and taken when it does', async () => {
  // A port that is free for as long as nobody listens there.
  const held = createServer().listen(0, '127.0.0.1');
  await once(held, 'listening');
  const { port } = held.address() as AddressInfo;
  held.close();
  await once(held, 'close');
  await world.client.apply([external('away', port)]);
  const down = await world.until('it is known to be down', async () => {
    const found = await one('away');
    return found?.state === 'failed' ? found : undefined;
  });
  expect(down).toMatchObject({ reason: 'ProbeFailed', message: 'does not pass its probe: connection refused' });
  expect((await world.client.service('away')).status).toMatchObject({
    state: 'failed',
    message: `${down.id} ${down.message}`,
  });
  const file = join(world.folder, 'away.json');
  writeFileSync(file, JSON.stringify(external('away', port)));
  const waited = await runCli(world, ['apply', '-f', file, '--ready', '--timeout', '1s']);
  expect([waited.code, waited.stderr]).toEqual([
    6,
    expect.stringContaining(`0 of 1 instances are ready; ${down.id} failed`),
  ]);
  // It comes: nobody has to ask for it.
  await world.client.apply([echoService('comes', { launch: launchAt(port), probe: { type: 'process' } })]);
  await world.ready('away', 1);
  const session = await world.open('away');
  expect(await session.ask('x')).toBe('x');
  await session.close();
});

function launchAt(port: number): { command: string[] } {
  const { command } = (echoService('x') as { spec: { launch: { command: string[] } } }).spec.launch;
  return { command: command.map((part) => (part === '{port}' ? String(port) : part)) };
}

it('of an address that services share each has its own sessions', async () => {
  const port = (await one('home'))?.address?.port ?? 0;
  await world.client.apply([external('first', port), external('second', port)]);
  await world.ready('first', 1);
  await world.ready('second', 1);
  const [home, first, second] = [
    await world.crowd('home', 4),
    await world.crowd('first', 3),
    await world.crowd('second', 2),
  ];
  await world.until('all are known', async () => (await world.client.sessions()).total >= 9);
  const counted = async () => Promise.all(['home', 'first', 'second'].map(sessionsOf));
  expect(await counted()).toEqual([4, 3, 2]);
  const groups = (await world.client.countSessions('service', {})).groups;
  expect(new Map(groups.map(({ key, count }) => [key, count]))).toEqual(
    new Map([
      ['home', 4],
      ['first', 3],
      ['second', 2],
    ]),
  );
  // What runs elsewhere is not ended from here, and neither are those of others at the same address.
  expect((await world.client.deleteService('second')).impact).toMatchObject({ endsNow: 0, drains: 0 });
  const drains = (await world.client.drains()).items;
  expect(drains.find(({ service }) => service === 'second')).toMatchObject({ remaining: 2 });
  await second.close();
  // Others at the same address do not hold it up.
  await world.until('it is gone', async () => (await one('second')) === undefined);
  expect([home.cut(), first.cut()]).toEqual([0, 0]);
  await Promise.all([home.close(), first.close()]);
});

it('a canary that waits for a person is seen wherever its service is', async () => {
  const rollout = { strategy: 'canary', steps: [{ weight: 20, pause: 'manual' }] };
  await world.client.apply([echoService('canary', { rollout })]);
  await world.ready('canary', 1);
  expect((await world.client.service('canary')).status.rollout).toBeNull();
  await world.client.apply([echoService('canary', { rollout }, ['--mark', 'two'])]);
  const paused = await world.until('it waits', async () => {
    const { status } = await world.client.service('canary');
    return status.rollout?.phase === 'paused' ? status.rollout : undefined;
  });
  expect(paused).toMatchObject({ from: 1, to: 2, weight: 20, reason: 'AwaitsPromotion' });
  expect((await runCli(world, ['get', 'services'])).stdout).toMatch(/^canary +ready \(rollout paused\) /m);
  expect((await runCli(world, ['status'])).stdout).toMatch(
    /^waits for you +rollout of canary paused: .*; see `switchboard rollout status canary`$/m,
  );
  expect((await runCli(world, ['describe', 'service', 'canary'])).stdout).toContain('reason: AwaitsPromotion');
  await world.client.steerRollout('canary', 'abort');
  expect((await world.client.service('canary')).status.rollout).toMatchObject({ phase: 'aborted' });
  expect(JSON.parse((await runCli(world, ['status', '-o', 'json'])).stdout)).toMatchObject({ waiting: [] });
});

it('of an instance that drains nobody says that it gets new sessions', async () => {
  const gatewayOf = async () =>
    (await world.client.check((await one('home'))?.id ?? '')).levels.find(({ level }) => level === 'gateway');
  expect(await gatewayOf()).toMatchObject({ state: 'ok', reason: "the gateway's own check passes" });
  const { id = '' } = (await one('home')) ?? {};
  await world.client.drain({ kind: 'instance', id }, { then: 'keep' });
  await world.until('it drains', async () => (await one('home'))?.state === 'draining');
  expect(await gatewayOf()).toMatchObject({
    reason: "the gateway's own check passes; it drains, so that no new session goes there",
  });
});

it('what ended while no control plane was there is not counted beside what came in its place', async () => {
  await world.client.apply([echoService('busy')]);
  await world.ready('busy', 1);
  const gone = await world.crowd('busy', 8);
  const stays = await world.crowd('busy', 4);
  await world.until('all are known', async () => (await sessionsOf('busy')) === 12);
  await world.killControlPlane();
  await gone.close();
  const came = await world.crowd('busy', 5);
  await world.startControlPlane();
  await world.until('the sum is right long before each has been told of', async () => {
    const { sessions } = await world.client.status();
    return !sessions.settled && sessions.open === 9 && (await sessionsOf('busy')) === 9;
  });
  // What a drain waits for, and what a write would end, is counted with care: none too few.
  expect((await world.client.stop('busy', { dryRun: true })).impact.drains).toBeGreaterThanOrEqual(9);
  expect([stays.cut(), came.cut()]).toEqual([0, 0]);
  await Promise.all([stays.close(), came.close()]);
});
