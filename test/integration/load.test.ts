/** Live signals of an instance: from sessions, load reports, probes, the runtime and the agent itself. */
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { echoService, startWorld } from '../support/world.ts';

it('signals come from everyone who knows a part, and nonsense from an agent changes nothing', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const session = await world.open('weather');
  const id = session.greeting.instance;
  const signals = await world.until('all signals are there', async () => {
    // Envoy counts attempts from its first report on: one before that is in none.
    await (await world.open('weather')).close();
    const found = await world.client.load(id);
    return found.sessions === 1 && found.errorRate !== undefined && (found.memoryBytes ?? 0) > 0 && found;
  });
  expect(signals).toMatchObject({ instance: id, sessions: 1, errorRate: 0 });
  expect(signals.probeLatencyMs).toBeGreaterThan(0);
  expect(signals.memoryBytes).toBeGreaterThan(10 * 2 ** 20);
  await world.client.reportLoad(id, { load: 0.5, message: 'half' });
  for (const [nonsense, field] of [
    [{ load: 7 }, 'load'],
    [{ load: -1 }, 'load'],
    [{ load: 'much' }, 'load'],
    [{}, 'load'],
    [{ load: 0.1, status: 'great' }, 'status'],
    [{ load: 0.1, message: 'x'.repeat(10_000) }, 'message'],
    [{ load: 0.1, extra: 1 }, 'extra'],
  ] as const) {
    const error: unknown = await world.client.reportLoad(id, nonsense).catch((thrown: unknown) => thrown);
    expect(isError(error, 'invalid') && error.issues[0]?.path, JSON.stringify(nonsense).slice(0, 50)).toBe(field);
  }
  expect((await world.client.load(id)).reported).toMatchObject({ load: 0.5, status: 'ok', message: 'half' });
  const nobody: unknown = await world.client.reportLoad('nobody', { load: 0 }).catch((thrown: unknown) => thrown);
  expect(isError(nobody, 'not_found')).toBe(true);
  await session.close();
});
