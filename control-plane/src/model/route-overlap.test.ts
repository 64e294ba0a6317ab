import { expect, it } from 'vitest';
import { routeWarnings } from './route-overlap.ts';
import { RouteSpec } from './route.ts';

const SERVICES = new Set(['chat', 'maps', 'weather']);
const warned = (spec: object): string[] =>
  routeWarnings([{ name: 'r', spec: RouteSpec.parse({ target: { service: 'chat' }, ...spec }) }], SERVICES).map(
    ({ message }) => message,
  );

it.each([
  [{ path: { prefix: '/' } }, ['standard path, from maps, weather', 'every request of /ws']],
  [{}, ['standard path, from maps, weather', 'every request of /ws']],
  [{ path: { prefix: '/agents' } }, ['standard path, from maps, weather']],
  [{ path: { prefix: '/agents/maps' } }, ['standard path, from maps']],
  [{ path: { prefix: '/agents/maps' }, headers: [{ name: 'x', equals: '1' }] }, ['standard path, from maps']],
  [{ path: { prefix: '/agents/chat' } }, []],
  [{ path: { exact: '/agents/maps' } }, []],
  [{ path: { exact: '/ws' } }, ['every request of /ws']],
  [{ path: { exact: '/ws' }, query: [{ name: 'service', present: false }] }, []],
  [{ path: { prefix: '/' }, host: 'chat.example.org' }, []],
  [{ path: { prefix: '/other' } }, []],
])('a route that matches %j takes from others: %j', (match, expected) => {
  const found = warned({ match });
  expect(found).toHaveLength(expected.length);
  for (const [index, part] of expected.entries()) expect(found[index]).toContain(part);
});

it('one that is never reached, and two of which only the name decides', () => {
  const route = (name: string, match: object, priority = 0): { name: string; spec: RouteSpec } => ({
    name,
    spec: RouteSpec.parse({ match, priority, target: { service: 'chat' } }),
  });
  const found = routeWarnings(
    [
      route('all', { path: { prefix: '/a' } }, 1),
      route('never', { path: { exact: '/a/b' } }),
      route('x', { path: { exact: '/c' }, headers: [{ name: 'k', prefix: 'v' }] }),
      route('y', { path: { exact: '/c' }, query: [{ name: 'q', equals: '1' }] }),
    ],
    SERVICES,
  );
  expect(found.map(({ route: name, reason }) => [name, reason])).toEqual([
    ['y', 'OrderByName'],
    ['never', 'Unreachable'],
  ]);
});
