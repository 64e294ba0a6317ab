/**
 * Behind other proxies: what those that are trusted say of a client is believed, by everything that knows the client; what others say is replaced. The
 * PROXY protocol has a port of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../control-plane/src/home/free-port.ts';
import { openSession, type OpenSession } from '../support/sessions.ts';
import { greeted, upgrade, type UpgradeAnswer } from '../support/upgrade.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const PROXY = '127.0.0.5';
/** One of a range that is trusted. */
const NEXT_PROXY = '127.0.0.17';
const STRANGER = '127.0.0.9';

let world: World;
let balanced: number;
const environment: Record<string, string> = { SWITCHBOARD_GATEWAY_TRUSTED_PROXIES: `${PROXY}, 127.0.0.16/28` };
beforeAll(async () => {
  balanced = await freePort('127.0.0.1');
  environment['SWITCHBOARD_GATEWAY_PROXY_PROTOCOL_PORT'] = String(balanced);
  const pinned = { replicas: 3, gateway: { policy: { type: 'hash', options: { by: [{ clientIp: true }] } } } };
  world = await startWorld({
    seed: [
      echoService('echo'),
      echoService('inside'),
      echoService('paced', { gateway: { limits: { newPerClient: { perSecond: 0.01, burst: 1 } } } }),
      echoService('single', { gateway: { limits: { sessionsPerClient: 1 } } }),
      echoService('pinned', pinned),
      {
        kind: 'Route',
        name: 'inside',
        spec: {
          match: { path: { prefix: '/by-address' }, clientIp: { in: ['203.0.113.0/24', '2001:db8::/32'] } },
          target: { service: 'inside' },
        },
      },
      {
        kind: 'Route',
        name: 'outside',
        spec: {
          match: { path: { prefix: '/by-address' }, clientIp: { notIn: ['198.51.100.0/24'] } },
          target: { service: 'echo' },
        },
      },
    ],
    environment,
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const port = async (): Promise<number> => (await world.status()).gateway.port;
const asking = async (
  path: string,
  client: string,
  headers: Record<string, string> = {},
  from = PROXY,
): Promise<UpgradeAnswer> => upgrade(await port(), path, { 'x-forwarded-for': client, ...headers }, from);

async function open(service: string, client: string, from = PROXY): Promise<OpenSession> {
  return openSession(world.url(service), { headers: { 'x-forwarded-for': client }, localAddress: from });
}

/** Client of an open session, as the control plane knows it. */
const clientOf = async ({ greeting }: OpenSession): Promise<string> =>
  world.until('the session is known', async () => {
    const { items } = await world.client.sessions();
    return items.find(({ id }) => id === greeting.headers['x-request-id'])?.client;
  });

const FORWARDED = {
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'agents.example.org',
  'x-forwarded-port': '443',
};

describe('what the agent is told', () => {
  it('by a trusted proxy: client, scheme, host and port as it says, and the proxy behind the client', async () => {
    const { headers } = greeted(await asking('/agents/echo', '203.0.113.7', FORWARDED));
    expect(headers).toMatchObject({ ...FORWARDED, 'x-forwarded-for': `203.0.113.7, ${PROXY}` });
  });

  it('by anybody else: what the gateway sees, and nothing of what was said', async () => {
    const { headers } = greeted(await asking('/agents/echo', '203.0.113.7', FORWARDED, STRANGER));
    expect(headers).toMatchObject({
      'x-forwarded-for': STRANGER,
      'x-forwarded-proto': 'http',
      'x-forwarded-host': `127.0.0.1:${await port()}`,
    });
    expect(headers).not.toHaveProperty('x-forwarded-port');
  });

  it("by a trusted proxy that forwards a client's word to Envoy itself: nothing is done by it", async () => {
    const orders = { 'x-envoy-upstream-rq-timeout-ms': '1', 'x-envoy-original-url': 'http://elsewhere/' };
    const { headers } = greeted(await asking('/agents/echo', '203.0.113.7', orders));
    expect(Object.keys(headers).filter((name) => name.startsWith('x-envoy-'))).toEqual([]);
  });
});

describe('who the client is', () => {
  it.each([
    ['the last that is no proxy', '6.6.6.6, 203.0.113.9, 127.0.0.17', '203.0.113.9'],
    ['the first, where all are proxies', '127.0.0.18, 127.0.0.17', '127.0.0.18'],
    ['of IPv6', '2001:db8::7', '[2001:db8::7]'],
    ['the proxy itself, where it says nothing that is an address', 'unknown', `${PROXY}:`],
  ])('by a trusted proxy: %s', async (_, said, client) => {
    const session = await open('echo', said);
    expect((await clientOf(session)).startsWith(client)).toBe(true);
    await session.close();
  });

  it('by anybody else: where the connection comes from', async () => {
    const session = await open('echo', '203.0.113.7', STRANGER);
    expect(await clientOf(session)).toMatch(/^127\.0\.0\.9:\d+$/);
    await session.close();
  });

  it('routes go by it', async () => {
    const service = async (client: string, from?: string): Promise<string> => {
      const answer = await asking('/by-address', client, {}, from);
      return answer.status === 101 ? greeted(answer).instance.replace(/-[^-]+$/, '') : String(answer.status);
    };
    expect(await service('203.0.113.7')).toMatch(/^inside/);
    expect(await service('2001:db8::1', NEXT_PROXY)).toMatch(/^inside/);
    expect(await service('192.0.2.1')).toMatch(/^echo/);
    expect(await service('198.51.100.1')).toBe('404');
    // A stranger's word is no address of its own.
    expect(await service('203.0.113.7', STRANGER)).toMatch(/^echo/);
    expect(await service('198.51.100.1', STRANGER)).toMatch(/^echo/);
  });

  it('the pace of new sessions is kept for it', async () => {
    expect(await asking('/agents/paced', '203.0.113.1')).toMatchObject({ status: 101 });
    expect(await asking('/agents/paced', '203.0.113.1')).toMatchObject({ status: 429 });
    expect(await asking('/agents/paced', '203.0.113.2', {}, NEXT_PROXY)).toMatchObject({ status: 101 });
    expect(await asking('/agents/paced', '203.0.113.3', {}, STRANGER)).toMatchObject({ status: 101 });
    expect(await asking('/agents/paced', '203.0.113.4', {}, STRANGER)).toMatchObject({ status: 429 });
  });

  it('the sessions that it may have are counted for it', async () => {
    const first = await open('single', '203.0.113.1');
    await clientOf(first);
    expect(await asking('/agents/single', '203.0.113.1', {}, NEXT_PROXY)).toMatchObject({ status: 429 });
    const second = await open('single', '203.0.113.2');
    const third = await open('single', '203.0.113.2', STRANGER);
    await clientOf(third);
    expect(await asking('/agents/single', '203.0.113.9', {}, STRANGER)).toMatchObject({ status: 429 });
    for (const session of [first, second, third]) await session.close();
  });

  it('the instance is chosen by it', async () => {
    await world.ready('pinned', 3);
    const chosen = async (client: string): Promise<string> => greeted(await asking('/agents/pinned', client)).instance;
    const [instance] = [await chosen('203.0.113.77')];
    for (let again = 0; again < 5; again += 1) expect(await chosen('203.0.113.77')).toBe(instance);
    const others = new Set<string>();
    for (let client = 0; client < 30; client += 1) others.add(await chosen(`203.0.113.${client}`));
    expect(others.size).toBeGreaterThan(1);
  });
});

describe('the PROXY protocol', () => {
  const version1 = (client: string): string =>
    client.includes(':')
      ? `PROXY TCP6 ${client} 2001:db8::1 40000 443\r\n`
      : `PROXY TCP4 ${client} 10.0.0.1 40000 443\r\n`;
  function version2(client: string): Buffer {
    const head = Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex');
    const ports = Buffer.alloc(4);
    ports.writeUInt16BE(40_000, 0);
    ports.writeUInt16BE(443, 2);
    return Buffer.concat([head, Buffer.from(client.split('.').map(Number)), Buffer.from([10, 0, 0, 1]), ports]);
  }
  const through = async (first: string | Buffer, from = PROXY, path = '/agents/echo'): Promise<UpgradeAnswer> =>
    upgrade(balanced, path, { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'https' }, from, first);

  it.each([
    ['1', version1('203.0.113.7'), '203.0.113.7'],
    ['1 for IPv6', version1('2001:db8::7'), '2001:db8::7'],
    ['2', version2('203.0.113.8'), '203.0.113.8'],
  ])('of version %s tells the client, whose own word is worth nothing', async (_, first, client) => {
    const { headers } = greeted(await through(first));
    expect(headers).toMatchObject({ 'x-forwarded-for': client, 'x-forwarded-proto': 'http' });
  });

  it('counts for routes as well', async () => {
    expect(greeted(await through(version2('203.0.113.7'), PROXY, '/by-address')).instance).toMatch(/^inside/);
    expect(greeted(await through(version2('192.0.2.7'), PROXY, '/by-address')).instance).toMatch(/^echo/);
  });

  it.each([
    ['without it', ''],
    ['with half of it', 'PROXY TCP4 203.0.113.7\r\n'],
  ])('%s nobody gets in', async (_, first) => {
    await expect(through(first)).rejects.toThrow(/hang up|ECONNRESET/);
  });

  it('by a stranger it is not believed: nobody gets in', async () => {
    await expect(through(version1('203.0.113.7'), STRANGER)).rejects.toThrow(/hang up|ECONNRESET/);
  });
});

it('other proxies after a restart: they count for who comes then, and no session ends', async () => {
  const { pid } = (await world.status()).envoy;
  const before = await Promise.all([open('echo', '203.0.113.7'), open('echo', '203.0.113.7', STRANGER)]);
  await world.killControlPlane();
  environment['SWITCHBOARD_GATEWAY_TRUSTED_PROXIES'] = STRANGER;
  Reflect.deleteProperty(environment, 'SWITCHBOARD_GATEWAY_PROXY_PROTOCOL_PORT');
  await world.startControlPlane();
  const forwarded = async (from: string): Promise<string | undefined> =>
    greeted(await asking('/agents/echo', '203.0.113.7', {}, from)).headers['x-forwarded-for'];
  await world.until('the stranger is trusted', async () => (await forwarded(STRANGER)) === `203.0.113.7, ${STRANGER}`);
  expect(await forwarded(PROXY)).toBe(PROXY);
  await expect(upgrade(balanced, '/agents/echo', {}, PROXY, 'PROXY UNKNOWN\r\n')).rejects.toThrow(/ECONNREFUSED/);
  await sleep(3_000);
  for (const session of before) expect(await session.ask('still here')).toBe('still here');
  expect((await world.status()).envoy.pid).toBe(pid);
  for (const session of before) await session.close();
});
