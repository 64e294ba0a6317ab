/** After new instances have come: how uneven it is, and making it even by steering new sessions, or by the agent's own close. */
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { runCli } from '../support/cli.ts';
import type { OpenSession } from '../support/sessions.ts';
import { echoService, startWorld } from '../support/world.ts';

it('shows the imbalance, steers new sessions by weight, and moves live ones only by their agent', async () => {
  const asked: { sessions: { id: string }[] }[] = [];
  const hook = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (part) => {
      const text = part.toString();
      const body = text.slice(text.indexOf('\r\n\r\n') + 4);
      if (body === '') return;
      asked.push(JSON.parse(body) as { sessions: { id: string }[] });
      socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  await using world = await startWorld({
    seed: [echoService('weather', { gateway: { policy: { type: 'weighted' } } }), echoService('plain')],
  });
  const first = await Promise.all(Array.from({ length: 24 }, async () => world.open('weather')));
  const old = first[0]?.greeting.instance ?? '';
  await world.client.scale('weather', 2);
  await world.ready('weather', 2);
  const before = await world.until('all are counted', async () => {
    const found = await world.client.balance('weather');
    return found.sessions === 24 && found.shares.length === 2 && found;
  });
  expect(before).toMatchObject({ isEven: false, toMove: 12, ratio: null, running: null });
  expect(before.shares[0]).toMatchObject({ instance: old, sessions: 24, even: 12, excess: 12 });
  const text = await runCli(world, ['rebalance', 'weather']);
  expect(text.stdout).toContain(old);
  expect(text.stderr).toContain('12 sessions would have to move');

  const cannot = await world.client.rebalance('weather', { mode: 'move' }).catch((error: unknown) => error);
  expect(isError(cannot, 'unsupported') && cannot.message).toContain('spec.hooks.close');
  const byItself = await world.client.rebalance('plain', { mode: 'steer' }).catch((error: unknown) => error);
  expect(isError(byItself, 'unsupported') && byItself.message).toContain('by itself');

  expect((await world.client.rebalance('weather', { mode: 'steer', dryRun: true })).running).toBeNull();
  expect((await world.client.rebalance('weather', { mode: 'steer' })).running?.mode).toBe('steer');
  const fresh: OpenSession[] = [];
  const share = await world.until('most of the new ones go to the new instance', async () => {
    const some = await Promise.all(Array.from({ length: 6 }, async () => world.open('weather')));
    const there = some.filter((session) => session.greeting.instance !== old).length;
    fresh.push(...some);
    return there >= 5 && there;
  });
  expect(share).toBeGreaterThanOrEqual(5);
  for (const session of first) expect(await session.ask('still here')).toBe('still here');
  await world.client.rebalance('weather', { mode: 'stop' });
  for (const session of fresh) await session.close();

  await world.client.patchService('weather', {
    spec: { hooks: { close: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` } },
  });
  await world.until(
    'the closed ones are no longer counted',
    async () => (await world.client.balance('weather')).sessions === 24,
  );
  await world.client.rebalance('weather', { mode: 'move', rate: 2, most: 4 });
  await world.until('as many were asked as were allowed', async () => {
    const { running } = await world.client.balance('weather');
    return running === null && asked.length === 2;
  });
  expect(asked.map((one) => one.sessions.length)).toEqual([2, 2]);
  for (const session of first) await session.close();
  hook.close();
});
