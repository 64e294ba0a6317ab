/** Where our own reading of the routes says that a request goes, Envoy takes it: over random routes and requests. */
import { expect, it } from 'vitest';
import type { SessionRequest } from '../../control-plane/src/model/request.ts';
import { RouteSpec } from '../../control-plane/src/model/route.ts';
import { choose } from '../../control-plane/src/routing/choose.ts';
import { seeded, type Random } from '../support/random.ts';
import { greeted, upgrade } from '../support/upgrade.ts';
import { echoService, startWorld } from '../support/world.ts';

const SERVICES = ['alpha', 'beta', 'gamma', 'delta'];
const SEGMENTS = ['a', 'b', 'ab', 'A', 'chat', 'v1', 'x.y'];
const VALUES = ['gold', 'Gold', 'silver', 'go', 'old', 'x', 'a+b', 'a.b'];
const NAMES = ['tier', 'x-team', 'region'];
const REGEXES = ['g.*', '[a-z]+', 'gold|silver', '(?i)GOLD', '.+old', 'a[+.]b'];
const RANGES = ['127.0.0.0/8', '127.0.0.2', '10.0.0.0/8', '127.0.0.4/31', '::1'];
const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.5'];

function path(random: Random): string {
  return `/${Array.from({ length: 1 + random.below(3) }, () => random.pick(SEGMENTS)).join('/')}`;
}

/** The same path in normal form, or nearly, as only somebody who tries would send it. */
function misspelt(random: Random, path: string): string {
  const at = random.below(path.length);
  const char = path.charAt(at);
  const other =
    char === '/'
      ? random.pick(['//', '%2F', '%5c', '\\', '/./', '/x/../', '/%2e%2E/'])
      : `%${char.charCodeAt(0).toString(16)}`;
  // A request begins with a slash.
  return `${at === 0 ? '/' : ''}${path.slice(0, at)}${other.slice(at === 0 && other.startsWith('/') ? 1 : 0)}${path.slice(at + 1)}`;
}

function condition(random: Random): Record<string, unknown> {
  const value = random.pick(VALUES);
  const some = [...new Set([random.pick(VALUES), random.pick(VALUES)])];
  return {
    name: random.pick(NAMES),
    ...random.pick<Record<string, unknown>>([
      { equals: value },
      { notEquals: value },
      { prefix: value },
      { suffix: value },
      { contains: value },
      { regex: random.pick(REGEXES) },
      { in: some },
      { notIn: some },
      { present: random.chance(0.5) },
    ]),
    ...(random.chance(0.3) ? { caseSensitive: false } : {}),
  };
}

function spec(random: Random, index: number): Record<string, unknown> {
  const cased = random.chance(0.2) ? { caseSensitive: false } : {};
  // A route without a path takes much: it is given conditions of every kind.
  const anywhere = random.chance(0.03);
  const match = {
    ...(!anywhere
      ? {
          path: {
            ...random.pick<Record<string, unknown>>([
              { exact: path(random) },
              { prefix: path(random) },
              { prefix: random.chance(0.2) ? '/agents/alpha' : path(random) },
              { suffix: random.pick(['chat', 'v1', 'x.y']) },
              { contains: random.pick(['chat', 'v1', '/b/']) },
              { regex: `/${random.pick(['[a-z]+', 'ab.*', '(a|b)(/.*)?', '.*v1'])}` },
            ]),
            ...cased,
          },
        }
      : {}),
    ...(random.chance(0.15) ? { host: random.pick(['one.test', 'Two.test']) } : {}),
    headers: anywhere || random.chance(0.4) ? [condition(random)] : [],
    query: anywhere || random.chance(0.4) ? [condition(random)] : [],
    cookies: anywhere || random.chance(0.3) ? [condition(random)] : [],
    ...(random.chance(0.1) ? { subprotocols: [random.pick(['chat', 'mqtt'])] } : {}),
    ...(random.chance(0.15)
      ? { clientIp: random.chance(0.5) ? { in: [random.pick(RANGES)] } : { notIn: [random.pick(RANGES)] } }
      : {}),
  };
  return {
    match,
    priority: random.below(5),
    target: { service: random.pick(SERVICES) },
    ...(random.chance(0.5) ? { rewrite: `/r-${index}` } : {}),
  };
}

function client(random: Random): SessionRequest {
  const pairs = (join: string): string =>
    NAMES.filter(() => random.chance(0.4))
      .map((name) => (random.chance(0.1) ? `${name}=` : `${name}=${random.pick(VALUES)}`))
      .join(join);
  const headers = new Map<string, string>();
  for (const name of NAMES) if (random.chance(0.4)) headers.set(name, random.pick(VALUES));
  const cookie = pairs('; ');
  if (cookie !== '') headers.set('cookie', cookie);
  if (random.chance(0.3)) headers.set('sec-websocket-protocol', random.pick(['chat', 'mqtt', 'x, chat', 'chatter']));
  const plain = random.chance(0.3)
    ? `/agents/${random.pick(SERVICES)}${random.pick(['', '/', '/x'])}`
    : random.chance(0.15)
      ? '/0/00'
      : path(random);
  return {
    host: random.pick(['one.test', 'TWO.test:80', '127.0.0.1']),
    path: random.chance(0.2) ? misspelt(random, plain) : plain,
    query: pairs('&'),
    headers,
    clientIp: random.pick(ADDRESSES),
  };
}

it.each([
  { routes: 60, requests: 1_500, seed: 1, form: 'a list' },
  { routes: 320, requests: 1_500, seed: 2, form: 'a tree' },
])(
  '$routes random routes as $form, $requests random requests',
  async ({ routes: count, requests, seed }) => {
    const random = seeded(seed);
    await using world = await startWorld({ name: 'routes', seed: SERVICES.map((name) => echoService(name)) });
    const documents = Array.from({ length: count }, (_, n) => ({
      kind: 'Route',
      name: `r-${n}`,
      spec: spec(random, n),
    }));
    const { acks } = await world.client.apply(documents, { wait: true });
    expect(acks?.refused).toEqual([]);
    const { port } = (await world.status()).gateway;
    const fleet = {
      services: SERVICES.map((name) => ({ name, gateway: {} as never, instances: [] })),
      routes: documents.map(({ name, spec: raw }) => ({ name, spec: RouteSpec.parse(raw) })),
    };

    const different: string[] = [];
    const kinds = new Map<string, number>();
    async function one(): Promise<void> {
      const request = client(random);
      const expected = choose(fleet, request);
      const wanted = expected.target !== undefined && 'service' in expected.target ? expected.target.service : '404';
      const answer = await upgrade(
        port,
        `${request.path}${request.query === '' ? '' : `?${request.query}`}`,
        { host: request.host, ...Object.fromEntries(request.headers) },
        request.clientIp,
      );
      const got = answer.status === 101 ? greeted(answer).instance.replace(/-\w+$/, '') : String(answer.status);
      kinds.set(expected.name.split('/')[0] ?? '', (kinds.get(expected.name.split('/')[0] ?? '') ?? 0) + 1);
      // A route that rewrites puts its own name into the path.
      const path = answer.status === 101 ? greeted(answer).url : '';
      const named = /^\/(r-\d+)/.exec(path)?.[1];
      if (got !== wanted || (named !== undefined && `route/${named}` !== expected.name))
        different.push(
          JSON.stringify({
            request: { ...request, headers: [...request.headers] },
            expected: expected.name,
            conditions: expected.conditions.map((found) => found.condition),
            got,
            path,
          }),
        );
    }
    for (let done = 0; done < requests; done += 20) await Promise.all(Array.from({ length: 20 }, one));
    expect(different.slice(0, 6)).toEqual([]);
    // The story is worth something only if each kind of answer occurs.
    for (const kind of ['route', 'service', 'no_route', 'path_spelling'])
      expect(kinds.get(kind) ?? 0).toBeGreaterThan(20);
  },
  180_000,
);
