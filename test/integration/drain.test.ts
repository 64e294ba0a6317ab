/** Drains as an operator does them: for a while or for good, said beforehand, watched, cancelled, and over restarts of the control plane. */
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { runCli } from '../support/cli.ts';
import { echoService, startWorld } from '../support/world.ts';

it('for maintenance: no new session, open ones live on, cancelled it serves again; over a restart of the control plane too', async () => {
  await using world = await startWorld({ seed: [echoService('weather', { replicas: 2 })] });
  const crowd = await world.crowd('weather', 20);
  const victim = crowd.sessions[0]?.greeting.instance ?? '';
  const theirs = crowd.sessions.filter((session) => session.greeting.instance === victim).length;
  await world.until('all are counted', async () => (await world.status()).sessions.open === 20);
  const target = { kind: 'instance', id: victim } as const;

  const dry = await world.client.drain(target, { then: 'keep' }, { dryRun: true });
  expect(dry.impact).toMatchObject({ endsNow: 0, drains: theirs, instances: [{ id: victim, sessions: theirs }] });
  expect((await world.client.drains()).items).toEqual([]);
  const harmless = await world.client.drain(target, { then: 'keep', policy: 'wait' }, { dryRun: true });
  expect(harmless.impact).toMatchObject({ endsNow: 0, drains: 0, instances: [] });

  await world.client.drain(
    target,
    { then: 'keep', policy: 'wait', deadline: '1ms', reason: 'new disk' },
    { wait: true },
  );
  for (let round = 0; round < 20; round += 1) {
    const session = await world.open('weather');
    expect(session.greeting.instance).not.toBe(victim);
    await session.close();
  }
  // Nobody replaces it, and nobody ends it, also after a restart and long after the deadline of a drain that waits.
  await world.killControlPlane();
  await world.startControlPlane();
  const { items } = await world.until('the drain goes on', async () => {
    const found = await world.client.drains();
    return found.items[0]?.remaining === theirs && found;
  });
  expect(items[0]).toMatchObject({ instance: victim, state: 'draining', reason: 'new disk', then: 'keep' });
  expect((await world.client.instances({ service: 'weather' })).items).toHaveLength(2);
  expect((await runCli(world, ['drains', '-o', 'wide'])).stdout).toContain('new disk');
  for (const session of crowd.sessions) if (session.greeting.instance === victim) await session.close();
  await world.until('it is empty', async () => (await world.client.drains()).items[0]?.state === 'empty', 40_000);
  expect((await world.client.health(victim)).verdict).toBe('healthy');
  expect((await runCli(world, ['undrain', 'instance', victim, '--wait'])).code).toBe(0);
  expect((await runCli(world, ['undrain', 'instance', victim])).stderr).toContain('nothing to change');
  const placed = await Promise.all(Array.from({ length: 30 }, async () => world.open('weather')));
  expect(placed.some((session) => session.greeting.instance === victim)).toBe(true);
  expect((await world.client.drains()).items).toEqual([]);
  await Promise.all(placed.map(async (session) => session.close()));
  const missing = await world.client.drain({ kind: 'instance', id: 'nobody' }).catch((error: unknown) => error);
  expect(isError(missing, 'not_found')).toBe(true);
  await crowd.close();
}, 120_000);

it('tells the agent once, though it first refuses; draining all of a service refuses new sessions and says so beforehand', async () => {
  const told: string[] = [];
  let refuse = true;
  const hook = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (part) => {
      const text = part.toString();
      const body = text.slice(text.indexOf('\r\n\r\n') + 4);
      if (body === '') return;
      told.push(body);
      socket.end(
        `HTTP/1.1 ${refuse ? '503 Later' : '204 No Content'}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
      );
      refuse = false;
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/drain/{instance}`;
  await using world = await startWorld({ seed: [echoService('weather', { hooks: { drain: url, timeout: '1s' } })] });
  const session = await world.open('weather');
  const { instance } = session.greeting;
  const service = { kind: 'service', name: 'weather' } as const;
  const done = await world.client.drain(service, { then: 'keep', policy: 'notify', reason: 'moving' }, { wait: true });
  expect(done.warnings.join()).toContain('no other instance');
  const refused = await world.open('weather').catch((error: unknown) => String(error));
  expect(refused).toContain('503');
  const told2 = await world.until('it was told', async () => {
    const found = (await world.client.drains()).items[0]?.notified;
    return found?.ok === true && found;
  });
  expect(told2.attempts).toBe(2);
  expect(told).toHaveLength(2);
  expect(JSON.parse(told[1] ?? '{}')).toMatchObject({ instance, service: 'weather', reason: 'moving', then: 'keep' });
  expect(await session.ask('still here')).toBe('still here');
  await world.client.undrain(service, { wait: true });
  const another = await world.open('weather');
  await another.close();
  await session.close();
  hook.close();
});

it('a gateway: no new connection, open sessions live on, over a restart of the control plane and of Envoy, and it can be taken back', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const session = await world.open('weather');
  await world.until('it is counted', async () => (await world.status()).sessions.open === 1);
  // What would be; nothing is yet.
  const dry = await world.client.drainGateway('gateway-1', 'new kernel', { dryRun: true });
  expect(dry.gateways).toMatchObject([{ node: 'gateway-1', reason: 'new kernel', remaining: 1 }]);
  expect((await world.client.drains()).gateways).toEqual([]);
  await (await world.open('weather')).close();
  const { gateways } = await world.client.drainGateway('gateway-1', 'new kernel');
  expect(gateways).toMatchObject([{ node: 'gateway-1', reason: 'new kernel', remaining: 1 }]);
  const closed = async (): Promise<boolean> =>
    world.open('weather').then(
      async (opened) => {
        await opened.close();
        return false;
      },
      (error: unknown) => /socket hang up|ECONNRESET/.test(String(error)),
    );
  expect(await closed()).toBe(true);
  expect(await session.ask('still here')).toBe('still here');
  await world.killControlPlane();
  await world.startControlPlane();
  expect(await closed()).toBe(true);
  expect(await session.ask('and now')).toBe('and now');
  expect((await runCli(world, ['drains'])).stdout).toContain('new kernel');
  // Envoy forgets it when it is started again; we don't.
  process.kill((await world.status()).envoy.pid ?? 0, 'SIGKILL');
  await session.closed;
  await world.until('the next one is drained too', async () => (await world.client.readyz()).ready && (await closed()));
  const elsewhere = await world.client.drainGateway('gateway-9').catch((error: unknown) => error);
  expect(isError(elsewhere, 'not_found')).toBe(true);
  expect((await runCli(world, ['undrain', 'gateway', 'gateway-1'])).code).toBe(0);
  const again = await world.until('new sessions open', async () => world.open('weather'));
  expect((await world.client.drains()).gateways).toEqual([]);
  await again.close();
}, 90_000);
