import { expect, it } from 'vitest';
import { echoService, startWorld } from '../support/world.ts';

it('a fresh registry with a seed serves sessions through Envoy', async () => {
  await using world = await startWorld({
    name: 'first session',
    seed: [echoService('weather', { replicas: 2 }), echoService('finance')],
  });
  const session = await world.open('weather');
  expect(session.greeting.instance).toMatch(/^weather-/);
  expect(await session.ask('hello')).toBe('hello');
  await world.until('the session shows', async () => (await world.client.sessions({ service: 'weather' })).total === 1);
  const finance = await world.open('finance');
  expect(finance.greeting.instance).toMatch(/^finance-/);
  await session.close();
  await world.until('it is gone', async () => (await world.client.sessions({ service: 'weather' })).total === 0);
  await finance.close();
});
