import { describe, expect, it } from 'vitest';
import { RouteSpec } from './route.ts';

const spec = (match: unknown): unknown => ({ match, target: { service: 'a' } });

describe('a route', () => {
  it.each([
    ['a regex with a back-reference', { path: { regex: '(a)\\1' } }, 'match.path.regex'],
    ['a regex with look-ahead', { headers: [{ name: 'x', regex: '(?=a)b' }] }, 'match.headers.0.regex'],
    ['an open bracket', { query: [{ name: 'x', regex: '(' }] }, 'match.query.0.regex'],
    ['two operators', { headers: [{ name: 'x', equals: 'a', prefix: 'b' }] }, 'match.headers.0'],
    ['no operator', { cookies: [{ name: 'x' }] }, 'match.cookies.0'],
    ['an unknown operator', { cookies: [{ name: 'x', like: 'y' }] }, 'match.cookies.0'],
    ['no range', { clientIp: { in: ['10.0.0.0/33'] } }, 'match.clientIp'],
    ['a tag target without tags', {}, 'target'],
  ])('with %s is refused, and the field is named', (_, match, path) => {
    const value = path === 'target' ? { match, target: { tags: {} } } : spec(match);
    const result = RouteSpec.safeParse(value);
    expect(result.success).toBe(false);
    const paths = JSON.stringify(result.error?.issues);
    for (const part of path.split('.').slice(0, 2)) expect(paths).toContain(part);
  });

  it('keeps taking what it took before', () => {
    const parsed = RouteSpec.parse(spec({ path: { prefix: '/a' }, headers: [{ name: 'x', equals: 'y' }] }));
    expect(parsed.match.headers).toEqual([{ name: 'x', equals: 'y', caseSensitive: true }]);
  });
});
