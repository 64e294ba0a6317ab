/** A client that comes back finds the instance that it was at, and never learns its address. */
import { expect, it } from 'vitest';
import { echoService, startWorld, type World } from '../support/world.ts';
import { openSession, type OpenSession } from '../support/sessions.ts';

async function cookieOf(session: OpenSession): Promise<string> {
  await session.close();
  return session.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

/** Where clients with the given headers end, one after another. */
async function landings(url: string, count: number, headers: Record<string, string> = {}): Promise<string[]> {
  const seen: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const session = await openSession(url, { headers });
    seen.push(session.greeting.instance);
    await session.close();
  }
  return seen;
}

const only = (seen: readonly string[]): string[] => [...new Set(seen)];

/** The table of tokens goes to Envoy by a resource of its own: it is there when a new client gets a cookie. */
async function withCookie(world: World, service: string): Promise<{ cookie: string; instance: string }> {
  return world.until('a session has a cookie', async () => {
    const session = await world.open(service);
    const cookie = await cookieOf(session);
    return cookie === '' ? undefined : { cookie, instance: session.greeting.instance };
  });
}

it('brings a cookie back to its instance, over restarts of both sides, and goes elsewhere when that is gone', async () => {
  await using world = await startWorld({
    name: 'affinity',
    seed: [echoService('chat', { replicas: 3, gateway: { affinity: { type: 'cookie' } } })],
  });
  const { cookie, instance } = await withCookie(world, 'chat');
  expect(cookie).toMatch(/^switchboard-chat=[\w-]{22}$/);
  const raw = Buffer.from(cookie.split('=')[1] ?? '', 'base64').toString('latin1');
  expect(raw).not.toContain('127.0.0.1');

  const back = async (): Promise<string[]> => only(await landings(world.url('chat'), 20, { cookie: `a=b; ${cookie}` }));
  expect(await back()).toEqual([instance]);

  // Who has a valid cookie is given no other; what is between filters reaches neither agent nor client.
  const session = await openSession(world.url('chat'), {
    headers: { cookie, 'x-switchboard-host': Buffer.from('127.0.0.1:1').toString('base64') },
  });
  expect(session.greeting.instance).toBe(instance);
  expect(session.headers['set-cookie']).toBeUndefined();
  expect(
    Object.keys({ ...session.headers, ...session.greeting.headers }).filter((name) => name.startsWith('x-switch')),
  ).toEqual([]);
  await session.close();

  // Forged: placed as anybody else.
  expect(
    only(await landings(world.url('chat'), 30, { cookie: 'switchboard-chat=AAAAAAAAAAAAAAAAAAAAAA' })).length,
  ).toBeGreaterThan(1);

  await world.killControlPlane();
  expect(await back()).toEqual([instance]);
  await world.startControlPlane();
  expect(await back()).toEqual([instance]);

  const { envoy } = await world.status();
  process.kill(envoy.pid ?? 0, 'SIGKILL');
  await world.until('another Envoy serves', async () => {
    const now = (await world.status()).envoy;
    return now.pid !== envoy.pid && now.state === 'running' && (await back()).length === 1;
  });
  expect(await back()).toEqual([instance]);

  // Its agent dies: the very next attempt is served by another.
  const { items } = await world.client.instances({ service: 'chat' });
  process.kill(items.find((one) => one.id === instance)?.process?.pid ?? 0, 'SIGKILL');
  const [moved] = await landings(world.url('chat'), 1, { cookie });
  expect(moved).not.toBe(instance);
});

it('strict: who comes back to an instance that is gone is told so', async () => {
  await using world = await startWorld({
    name: 'strict',
    seed: [echoService('chat', { replicas: 2, gateway: { affinity: { type: 'header', strict: true } } })],
  });
  const session = await world.until('a session has a token', async () => {
    const one = await world.open('chat');
    await one.close();
    return one.headers['x-session-affinity'] === undefined ? undefined : one;
  });
  const token = String(session.headers['x-session-affinity']);
  const { instance } = session.greeting;
  expect(only(await landings(world.url('chat'), 10, { 'x-session-affinity': token }))).toEqual([instance]);
  expect(only(await landings(`${world.url('chat')}?affinity=${token}`, 10))).toEqual([instance]);

  await world.client.stopInstance(instance, { now: true });
  const refusal = await world.until('the instance is gone', async () =>
    openSession(world.url('chat'), { headers: { 'x-session-affinity': token } }).then(
      async (open) => {
        await open.close();
        return undefined;
      },
      (error: unknown) => (String(error).includes('session_gone') ? String(error) : undefined),
    ),
  );
  expect(refusal).toContain('refused with 503');
  expect(only(await landings(world.url('chat'), 3)).length).toBeGreaterThan(0);
});

it.each([true, false])('an instance that drains: whileDraining %s', async (whileDraining) => {
  await using world = await startWorld({
    name: 'draining',
    seed: [echoService('chat', { replicas: 2, gateway: { affinity: { type: 'cookie', whileDraining } } })],
  });
  const { cookie, instance } = await withCookie(world, 'chat');
  const held = await openSession(world.url('chat'), { headers: { cookie } });
  expect(held.greeting.instance).toBe(instance);
  await world.client.stopInstance(instance, {});
  await world.until('it drains', async () => {
    const { items } = await world.client.instances({ service: 'chat' });
    const one = items.find(({ id }) => id === instance);
    const { items: gateways } = await world.client.gateways();
    return one?.state === 'draining' && gateways.every((gateway) => gateway.ackedRevision >= one.revision);
  });
  expect(only(await landings(world.url('chat'), 10))).not.toContain(instance);
  const back = only(await landings(world.url('chat'), 10, { cookie }));
  if (whileDraining) expect(back).toEqual([instance]);
  else expect(back).not.toContain(instance);
  await held.close();
});
