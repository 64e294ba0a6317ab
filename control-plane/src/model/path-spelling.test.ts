import { describe, expect, it } from 'vitest';
import type { FleetRoute } from './fleet.ts';
import { isMisleading } from './path-spelling.ts';
import { RouteSpec } from './route.ts';

const route = (path: unknown): FleetRoute => ({
  name: 'r',
  spec: RouteSpec.parse({ match: { path }, target: { service: 'a' } }),
});
const admin = [route({ prefix: '/agents/a/admin' }), route({ exact: '/Login', caseSensitive: false })];

describe('a path that could lead elsewhere in normal form', () => {
  it.each([
    '/agents/a/../b',
    '/agents/a/..',
    '/agents/a/%2e%2E/b',
    '/agents/a/.%2e/b',
    '/agents/a/x%2f..%2F..%2fb',
    '/agents/a/x\\..\\..\\b',
    '/agents/a/..;x/b',
    '/agents//a',
    '//agents/a',
    '/./agents/a',
    '/agents/./a',
    '/agents/a%2F..%2Fb',
    '/agents%2Fa',
    '/agents/a%2fx',
    '/agents/a\\x',
    '/agents\\a',
    '/%61gents/a',
    '/agents/%61/x',
    '/AGENTS//a',
    '/ws%2fx',
    '//ws',
  ])('is refused: %s', (path) => {
    expect(isMisleading(path, [])).toBe(true);
  });

  it.each([
    '/',
    '/agents/a',
    '/agents/a/',
    '/agents/a/files/a%2Fb',
    '/agents/a/a%2Fb%5Cc',
    '/agents/a//b',
    '/agents/a/%7Eme/~/x;y=z',
    '/agents/a/./b',
    '/agents/a/...',
    '/agents/a/..x/x..',
    '/agents/a/%2e%2ex',
    '/agents/a/back\\slash',
    '/agents/a/https%3A%2F%2Fhost.example%2Fdoc/ws',
    '/files/a%2Fb',
    '/ws',
    '/.well-known/x',
  ])("unless that is the agent's own affair: %s", (path) => {
    expect(isMisleading(path, [])).toBe(false);
  });

  it.each([
    ['/agents/a//admin', true],
    ['/agents/a/%61dmin', true],
    ['/agents/a/./admin', true],
    ['/agents/a/admin%2Fx', true],
    ['/%4cogin', true],
    ['/LOGIN%2fx', true],
    ['/agents/a/admin', false],
    ['/agents/a/admin/x%2Fy', false],
    ['/agents/a/other%2Fadmin', false],
    ['/agents/a/x//admin', false],
    ['/agents/b/x%2Fadmin', false],
    ['/login', false],
  ])('where a route of an operator has a longer path: %s', (path, wanted) => {
    expect(isMisleading(path, admin)).toBe(wanted);
  });

  it('is found in several expressions where there are many routes', () => {
    const many = Array.from({ length: 900 }, (_, n) => route({ prefix: `/tenant-${n}/chat` }));
    expect(isMisleading('/tenant-7//chat', many)).toBe(true);
    expect(isMisleading('/tenant-899/%63hat', many)).toBe(true);
    expect(isMisleading('/tenant-7/chat/a%2Fb', many)).toBe(false);
  });
});
