/** A client that knows only the old manager: `/ws` with `service`, `tag`, `session_id`, `routing_hint`, as parameters or as headers. */
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { seeded } from '../support/random.ts';
import { greeted, upgrade, type UpgradeAnswer } from '../support/upgrade.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const SEED = [
  echoService('weather', { tags: { kind: 'weather', prod: '' }, replicas: 2 }),
  echoService('finance', { tags: { kind: 'finance', prod: '' } }),
  echoService('chat', {
    replicas: 3,
    tags: { tier: 'gold' },
    gateway: { affinity: { type: 'key' }, hints: ['round-robin', 'hash'] },
  }),
  echoService('plain'),
];

const port = async (world: World): Promise<number> => (await world.status()).gateway.port;
const told = ({ status, body }: UpgradeAnswer): unknown => {
  const { code, message, status: own } = JSON.parse(body) as { code: string; message: string; status: number };
  expect([own, message !== '']).toEqual([status, true]);
  return [status, code];
};

it('a client of the old manager is served by service, tags, session and hint, and told why when it is not', async () => {
  await using world = await startWorld({ name: 'old-entry', seed: SEED });
  const at = await port(world);
  const where = async (query: string, headers: Record<string, string> = {}): Promise<string> =>
    greeted(await upgrade(at, `/ws${query}`, headers)).instance;
  const kind = async (query: string, headers: Record<string, string> = {}): Promise<string> =>
    (await where(query, headers)).split('-')[0] ?? '';
  const kinds = async (query: string, times: number): Promise<string[]> => {
    const all = await Promise.all(Array.from({ length: times }, async () => kind(query)));
    return [...new Set(all)].sort();
  };

  // As its documents say it: a WebSocket to /ws, with a name; frames go both ways.
  const socket = new WebSocket(`ws://127.0.0.1:${at}/ws?service=weather&routing_hint=least_connections`);
  const first = await new Promise<string>((resolve, reject) => {
    socket.once('message', (data: Buffer) => {
      resolve(data.toString());
    });
    socket.once('error', reject);
  });
  expect((JSON.parse(first) as { instance: string }).instance).toMatch(/^weather-/);
  const echoed = new Promise<string>((resolve) => {
    socket.once('message', (data: Buffer) => {
      resolve(data.toString());
    });
  });
  socket.send('42');
  expect(await echoed).toBe('42');
  socket.terminate();

  expect(await kinds('?tag=weather', 4)).toEqual(['weather']);
  expect(await kinds('?tag=prod', 24)).toEqual(['finance', 'weather']);
  for (const tags of ['prod,finance', 'finance,prod', 'finance%2Cprod', 'finance,%20prod', 'kind=finance'])
    expect(await kind(`?tag=${tags}`), tags).toBe('finance');
  expect(await kind('?service=weather&tag=prod')).toBe('weather');
  expect(await kind('', { tag: 'finance, prod' })).toBe('finance');
  expect(await kind('', { service: 'plain' })).toBe('plain');
  expect(await kind('?tag=gold', { service: 'chat', session_id: 'x' })).toBe('chat');
  // What is asked for in the URL goes before the header.
  expect(await kind('?service=plain', { service: 'weather' })).toBe('plain');

  // A key that the client chooses, however it sends it.
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const instance = await where(`?service=chat&session_id=${id}`);
    expect(await where(`?tag=gold&session_id=${id}`)).toBe(instance);
    expect(await where('?service=chat', { session_id: id })).toBe(instance);
    expect(await where('?service=chat', { 'session-id': id })).toBe(instance);
  }

  // A strategy that the service offers: one after another, whatever the key; by address always the same.
  const turns: string[] = [];
  for (let n = 0; n < 9; n += 1) turns.push(await where('?service=chat&session_id=a&routing_hint=round_robin'));
  expect(turns.slice(3, 6)).toEqual(turns.slice(0, 3));
  expect(new Set(turns.slice(0, 3)).size).toBe(3);
  const hashed = await Promise.all(
    Array.from({ length: 6 }, async () => where('?tag=gold', { routing_hint: 'hash_based' })),
  );
  expect(new Set(hashed).size).toBe(1);
  const held = new WebSocket(`ws://127.0.0.1:${at}/ws?service=chat&routing_hint=round_robin`);
  // The gateway tells of a session before its client has read the 101.
  await once(held, 'open');
  await world.until('its session says why it is there', async () => {
    const { items } = await world.client.sessions({ service: 'chat' });
    return items.some(({ policy, reason }) => policy === 'round-robin' && reason.includes('; round-robin chose chat-'));
  });
  held.terminate();
  // One that it does not offer: its own policy.
  expect(await kind('?service=plain&routing_hint=performance_based')).toBe('plain');

  // What cannot be served is refused, each with its reason.
  for (const [query, code, headers = {}] of [
    ['?service=nobody', 'unknown_service'],
    ['?tag=nobody', 'unknown_tag'],
    ['?tag=weather,finance', 'unknown_tag'],
    ['?service=plain&tag=prod', 'unknown_tag'],
    ['?service=weather&tag=finance', 'unknown_tag'],
    ['?service=plain&routing_hint=fastest', 'unknown_hint'],
    ['?service=plain', 'unknown_hint', { 'routing-hint': 'x' }],
    ['', 'no_service_named'],
    ['?service=&tag=', 'no_service_named'],
    ['?service=xds', 'unknown_service'],
    ['?service=:?prod', 'unknown_service'],
    ['', 'no_service_named', { 'x-switchboard-service': 'plain', 'x-switchboard-tags': 'prod' }],
  ] as [string, string, Record<string, string>?][])
    expect(told(await upgrade(at, `/ws${query}`, headers)), query).toEqual([404, code]);
  expect(told(await upgrade(at, '/elsewhere'))).toEqual([404, 'no_route']);
  const long = Array.from({ length: 60 }, (_, n) => `a-service-with-a-long-name-${n * 7919}`);
  const external = long.map((name) => ({ kind: 'Service', name, spec: { runtime: 'external', addresses: [] } }));
  expect((await world.client.apply(external, { wait: true })).acks?.refused).toEqual([]);
  expect(told(await upgrade(at, `/ws?service=${long[59] ?? ''}`))).toEqual([503, 'no_instance']);
  const seen = greeted(
    await upgrade(at, '/ws?tag=gold', { session_id: '1', x_forwarded_for: '9.9.9.9', 'x-kept': '1' }),
  );
  expect(Object.keys(seen.headers).filter((name) => name.includes('_') || name.startsWith('x-switchboard'))).toEqual(
    [],
  );
  expect([seen.url, seen.headers['x-kept']]).toEqual(['/ws?tag=gold', '1']);

  // A tag that is there, with nobody who can take a session.
  await world.client.stop('finance', { wait: true });
  await world.until(
    'it is refused as busy',
    async () => JSON.stringify(told(await upgrade(at, '/ws?tag=finance'))) === '[503,"no_instance"]',
  );
});

it('explain says where such a request goes as Envoy does, over random requests', async () => {
  await using world = await startWorld({ name: 'old-explain', seed: SEED });
  const at = await port(world);
  const random = seeded(5);
  const WORDS = ['prod', 'weather', 'finance', 'gold', 'kind=weather', 'none'];
  const SERVICES = ['weather', 'finance', 'chat', 'plain', 'nobody'];
  const HINTS = ['round_robin', 'round-robin', 'hash_based', 'performance', 'tag_based', 'fastest'];
  const different: string[] = [];
  const answers = new Map<string, number>();

  async function one(): Promise<void> {
    const query: string[] = [];
    const header: string[] = [];
    const give = (name: string, value: string): void => {
      if (random.chance(0.7)) query.push(`${name}=${value}`);
      else header.push(`${random.chance(0.5) ? name : name.replaceAll('_', '-')}: ${value}`);
    };
    if (random.chance(0.5)) give('service', random.pick(SERVICES));
    if (random.chance(0.7))
      give('tag', Array.from({ length: 1 + random.below(2) }, () => random.pick(WORDS)).join(','));
    if (random.chance(0.4)) give('routing_hint', random.pick(HINTS));
    const path = `/ws${query.length === 0 ? '' : `?${query.join('&')}`}`;
    const headers = Object.fromEntries(header.map((line) => line.split(': ') as [string, string]));
    const [explained, answer] = await Promise.all([world.client.explain({ path, header }), upgrade(at, path, headers)]);
    const able = explained.destinations.flatMap(({ candidates }) => candidates.filter((each) => each.eligible));
    const expected = able.length > 0 ? able.map(({ instance }) => instance) : [`404 ${explained.route.name}`];
    const got =
      answer.status === 101
        ? greeted(answer).instance
        : `${answer.status} ${(JSON.parse(answer.body) as { code: string }).code}`;
    const sort = answer.status === 101 ? (explained.route.name.split('/')[0] ?? '') : got;
    answers.set(sort, (answers.get(sort) ?? 0) + 1);
    if (!expected.includes(got))
      different.push(JSON.stringify({ path, header, got, expected, outcome: explained.outcome }));
  }
  for (let done = 0; done < 1_000; done += 10) await Promise.all(Array.from({ length: 10 }, one));
  expect(different.slice(0, 6)).toEqual([]);
  for (const sort of [
    'service',
    'tags',
    '404 unknown_tag',
    '404 unknown_service',
    '404 unknown_hint',
    '404 no_service_named',
  ])
    expect(answers.get(sort) ?? 0, sort).toBeGreaterThan(10);
});
