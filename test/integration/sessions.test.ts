/** The table of live sessions against what the clients themselves hold, through restarts, lost records and filters; and ending them. */
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { whyNotDestroy } from '../../control-plane/src/home/destroy-socket.ts';
import { isError } from '../../control-plane/src/model/errors.ts';
import { echoService, startWorld } from '../support/world.ts';
import { runCli } from '../support/cli.ts';

const thrown = async (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

it('each session has its place, its reason and its end, and lists, filters, counts and watches agree', async () => {
  await using world = await startWorld({
    seed: [echoService('weather', { replicas: 2 }), echoService('finance')],
  });
  const stop = new AbortController();
  const told: string[] = [];
  const watching = (async () => {
    for await (const { event, data } of world.client.watchSessions({ service: 'weather' }, stop.signal))
      told.push(`${event} ${data.id}`);
  })().catch(() => undefined);
  const weather = [await world.open('weather'), await world.open('weather'), await world.open('weather')];
  const finance = await world.open('finance');
  const { items } = await world.until('all are listed', async () => {
    const page = await world.client.sessions();
    return page.total === 4 && page.settled && page;
  });
  const first = items.find((one) => one.instance === weather[0]?.greeting.instance);
  expect(first).toMatchObject({
    service: 'weather',
    version: 1,
    route: expect.stringContaining('weather') as string,
    policy: 'least-connections',
    path: '/agents/weather',
    principal: null,
  });
  expect(first?.reason).toMatch(/leads to weather; least-connections chose weather-\w+ of 2 ready$/);
  expect(first?.client).toMatch(/^127\.0\.0\.1:\d+$/);
  expect((await world.client.sessions({ service: 'finance' })).items.map((one) => one.instance)).toEqual([
    finance.greeting.instance,
  ]);
  expect((await world.client.sessions({ instance: finance.greeting.instance })).total).toBe(1);
  expect((await world.client.sessions({ client: '127.0.0.1', since: '1h', version: 1 })).total).toBe(4);
  expect((await world.client.sessions({ client: '10.0.0.1' })).total).toBe(0);
  expect((await world.client.sessions({ text: 'AGENTS/FIN' })).total).toBe(1);
  const page = await world.client.sessions({ limit: 3 });
  const rest = await world.client.sessions({ limit: 3, after: page.next ?? '' });
  expect(new Set([...page.items, ...rest.items].map((one) => one.id)).size).toBe(4);
  expect(rest.next).toBeUndefined();
  expect(await world.client.countSessions('service')).toMatchObject({
    total: 4,
    groups: [
      { key: 'weather', count: 3 },
      { key: 'finance', count: 1 },
    ],
  });
  expect(isError(await thrown(world.client.sessions({ since: 'yesterday' })), 'invalid')).toBe(true);
  expect(isError(await thrown(world.client.sessions({ after: 'nothing' })), 'invalid')).toBe(true);
  expect(isError(await thrown(world.client.session('nothing')), 'not_found')).toBe(true);

  await weather[0]?.ask('x'.repeat(1000));
  await weather[0]?.close();
  const ended = await world.until('its end is kept', async () => (await world.client.endedSessions()).items[0]);
  expect(ended).toMatchObject({ service: 'weather', instance: weather[0]?.greeting.instance });
  expect(ended.why).not.toBe('');
  expect(ended.bytesReceived).toBeGreaterThan(1000);
  expect(await world.client.session(ended.id)).toMatchObject({ id: ended.id, why: ended.why });
  process.kill(finance.greeting.pid, 'SIGKILL');
  const killed = await world.until('the killed one is kept', async () =>
    (await world.client.endedSessions({ service: 'finance' })).items.at(0),
  );
  expect(killed.endedBy).toBe('agent');
  await world.until('the watch told all', async () => told.length === 4);
  expect(told.at(-1)).toBe(`ended ${ended.id}`);
  stop.abort();
  await watching;

  const text = await runCli(world, ['sessions', '--service', 'weather']);
  expect(text.stdout).toContain(weather[1]?.greeting.instance);
  expect((await runCli(world, ['sessions', '--count', 'instance', '-o', 'json'])).stdout).toContain('"count": 2');
  expect((await runCli(world, ['sessions', '--ended'])).stdout).toContain(ended.id);
  for (const session of weather.slice(1)) await session.close();
});

it('is right again after a restart of either side', async () => {
  await using world = await startWorld({ seed: [echoService('weather', { replicas: 2 })] });
  const crowd = await world.crowd('weather', 60);
  await world.killControlPlane();
  for (const session of crowd.sessions.slice(0, 20)) await session.close();
  const later = await world.crowd('weather', 10);
  await world.startControlPlane();
  // The gateways' own counts make the number right long before each session has been told of again.
  const early = await world.until(
    'the count is right',
    async () => {
      const { sessions } = await world.status();
      return sessions.open === 50 && sessions;
    },
    8_000,
  );
  expect(early.open).toBe(50);
  const listed = await world.until('all are listed again', async () => {
    const page = await world.client.sessions();
    return page.items.length === 50 && page.settled && page;
  });
  expect(listed.unlisted).toBe(0);
  expect(listed.items[0]?.instance).toMatch(/^weather-/);
  expect(listed.items[0]?.reason).toContain('open already');
  const { envoy } = await world.status();
  process.kill(envoy.pid ?? 0, 'SIGKILL');
  await world.until('none is open', async () => (await world.status()).sessions.open === 0);
  expect((await world.client.endedSessions()).items[0]).toMatchObject({ endedBy: 'gateway' });
  await later.close();
}, 90_000);

it('ends a session by its agent, or by destroying its connection, or says why not', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const victim = await world.open('weather');
  const other = await world.open('weather');
  const { items } = await world.until('both are listed', async () => {
    const page = await world.client.sessions();
    return page.total === 2 && page;
  });
  const id = (port: number | undefined): string => items.find((one) => one.client.endsWith(`:${port ?? 0}`))?.id ?? '';
  const portOf = (session: typeof victim): number | undefined =>
    (session.socket as unknown as { _socket: { localPort: number } })._socket.localPort;
  const whyNot = whyNotDestroy();
  const outcome = await thrown(world.client.endSession(id(portOf(victim)), 'a test'));
  if (whyNot === undefined) {
    expect(outcome).toMatchObject({ outcome: 'cut' });
    expect((await victim.closed).code).toBe(1006);
    expect(await other.ask('still here')).toBe('still here');
  } else expect(isError(outcome, 'unsupported') && outcome.message).toContain(whyNot);
  expect(isError(await thrown(world.client.endSessions({})), 'invalid')).toBe(true);

  // An agent with a close hook; one that never answers is no reason to wait for ever.
  const asked: string[] = [];
  const hook = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (part) => {
      const text = part.toString();
      const body = text.slice(text.indexOf('\r\n\r\n') + 4);
      if (body === '') return;
      asked.push(body);
      socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const { port } = hook.address() as AddressInfo;
  await world.client.patchService('weather', {
    spec: { hooks: { close: `http://127.0.0.1:${port}/close/{instance}`, timeout: '300ms' } },
  });
  const dry = await world.client.endSessions({ service: 'weather' }, { dryRun: true });
  expect(dry.items.every((one) => one.outcome === 'would')).toBe(true);
  expect(asked).toEqual([]);
  const { items: done } = await world.client.endSessions({ service: 'weather' }, { reason: 'maintenance' });
  expect(done.map((one) => one.outcome)).toEqual(done.map(() => 'asked'));
  expect(JSON.parse(asked[0] ?? '{}')).toMatchObject({
    service: 'weather',
    reason: 'maintenance',
    sessions: done.map((one) => ({ id: one.id })),
  });
  hook.close();
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  await world.client.patchService('weather', {
    spec: { hooks: { close: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`, timeout: '300ms' } },
  });
  const refused = await thrown(world.client.endSession(id(portOf(other))));
  expect(isError(refused, 'unsupported') && refused.message).toContain('did not answer within 300 ms');
  silent.close();
  await sleep(0);
  await other.close();
});
