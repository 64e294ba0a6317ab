/** Services that need each other, the hook before the stop, what instances use. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { echoService, startWorld } from '../support/world.ts';

it('a service waits for what it depends on, says so, and is told what it may not', async () => {
  await using world = await startWorld({
    seed: [echoService('back', { enabled: false }), echoService('front', { dependsOn: ['back'] })],
    waitReady: false,
  });
  const waiting = await world.until('it waits', async () =>
    (await world.client.instances({ service: 'front' })).items.find((one) => one.reason === 'WaitsForDependency'),
  );
  expect(waiting).toMatchObject({ state: 'pending', message: 'waits for service back, which is stopped' });
  await world.client.start('back');
  await world.ready('front', 1);
  const [front, back] = [
    (await world.client.instances({ service: 'front' })).items[0],
    (await world.client.instances({ service: 'back' })).items[0],
  ];
  expect(Date.parse(front?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(back?.readyAt ?? ''));
  await world.until(
    'what it uses is known',
    async () => ((await world.client.instance(front?.id ?? '')).usage?.memoryBytes ?? 0) > 1_000_000,
  );
  const circle: unknown = await world.client
    .putService('back', echoService('back', { dependsOn: ['front'] }))
    .catch((error: unknown) => error);
  expect(isError(circle, 'invalid') ? circle.issues : circle).toEqual([
    { path: 'spec.dependsOn.0', message: 'leads in a circle: back -> front -> back' },
  ]);
  const needed: unknown = await world.client.deleteService('back').catch((error: unknown) => error);
  expect(isError(needed, 'conflict') ? needed.message : needed).toContain('front depends on service back');
});

it('the stop hook is called after the drain and before the end, and one that hangs holds nothing up', async () => {
  const calls: { path: string; body: unknown }[] = [];
  const hook = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      calls.push({ path: request.url ?? '', body: JSON.parse(body) });
      if (request.url !== '/hang') response.end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`;
  await using world = await startWorld({
    seed: [
      echoService('polite', { hooks: { stop: `${url}/stop?of={instance}` } }),
      echoService('hung', { hooks: { stop: `${url}/hang`, timeout: '300ms' } }),
    ],
  });
  const [polite] = (await world.client.instances({ service: 'polite' })).items;
  const pid = polite?.process?.pid ?? 0;
  await world.client.stop('polite');
  await world.client.stop('hung');
  await world.until('all have ended', async () => (await world.client.instances()).items.length === 0);
  expect(calls.find((call) => call.path.startsWith('/stop'))).toEqual({
    path: `/stop?of=${polite?.id ?? ''}`,
    body: { instance: polite?.id, service: 'polite', reason: 'Stopped' },
  });
  expect(() => process.kill(pid, 0)).toThrow();
  const events = (await world.client.events({ limit: 100 })).items.map((event) => event.message);
  expect(events.some((message) => message.includes('its stop hook did not answer within 300 ms'))).toBe(true);
  hook.closeAllConnections();
  hook.close();
});
