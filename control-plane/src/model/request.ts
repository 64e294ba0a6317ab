/** A request to open a session, as routes see it; and whether a route's conditions hold for it, each with a sentence. */
import { RE2JS } from 're2js';
import { z } from 'zod';
import { inRanges } from './cidr.ts';
import { inWords, passes, pathRegex, testOf } from './condition.ts';
import type { Match, NamedCondition } from './route.ts';

export interface SessionRequest {
  readonly host: string;
  /** Without the query. */
  readonly path: string;
  /** What follows the question mark; empty: nothing. */
  readonly query: string;
  /** Lower-case names. Of a header that stands several times: the values joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  readonly clientIp: string;
}

export const Finding = z.strictObject({
  ok: z.boolean(),
  condition: z.string().describe('Such as `header x-tier equals "gold"`.'),
});
export type Finding = Readonly<z.infer<typeof Finding>>;

const fold = (text: string): string => text.toLowerCase();

/** All values of a parameter, as they stand in the URL. */
export function parameters(query: string, name: string): string[] {
  return query
    .split('&')
    .filter((one) => one !== '')
    .map((one) => {
      const equals = one.indexOf('=');
      return equals < 0 ? { key: one, value: '' } : { key: one.slice(0, equals), value: one.slice(equals + 1) };
    })
    .filter(({ key }) => key === name)
    .map(({ value }) => value);
}

export function cookieOf(request: SessionRequest, name: string): string | undefined {
  for (const one of (request.headers.get('cookie') ?? '').split(';')) {
    const equals = one.indexOf('=');
    if (equals > 0 && one.slice(0, equals).trim() === name)
      return one
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}

function pathHolds(path: NonNullable<Match['path']>, given: string): boolean {
  const cased = (text: string): string => (path.caseSensitive ? text : fold(text));
  const value = cased(given);
  if ('exact' in path) return value === cased(path.exact);
  if ('prefix' in path) {
    const base = cased(path.prefix).replace(/\/+$/, '');
    return base === '' || value === base || value.startsWith(`${base}/`);
  }
  const regex = pathRegex(path);
  return RE2JS.compile(regex, path.caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE).matches(given);
}

function named(
  what: string,
  conditions: readonly NamedCondition[],
  valueOf: (name: string, negated: boolean) => readonly (string | undefined)[],
): Finding[] {
  return conditions.map((condition) => {
    const test = testOf(condition);
    const values = valueOf(condition.name, test.negated);
    return {
      // A negation must hold for every value; all else for the first.
      ok: test.negated ? values.every((value) => passes(test, value)) : passes(test, values[0]),
      condition: `${what} ${condition.name} ${inWords(test)}`,
    };
  });
}

/** One finding for each condition; a route matches if all are ok. */
export function findings(match: Match, request: SessionRequest): Finding[] {
  const found: Finding[] = [];
  if (match.path !== undefined) {
    const [kind = '', text = ''] = Object.entries(match.path)[0] ?? [];
    found.push({ ok: pathHolds(match.path, request.path), condition: `path ${kind} ${String(text)}` });
  }
  if (match.host !== undefined) {
    const host = fold(request.host).replace(/:\d+$/, '');
    found.push({ ok: host === fold(match.host), condition: `host ${match.host}` });
  }
  found.push(...named('header', match.headers, (name) => [request.headers.get(fold(name))]));
  found.push(
    ...named('query parameter', match.query, (name) => {
      const values = parameters(request.query, name);
      return values.length === 0 ? [undefined] : values;
    }),
  );
  found.push(...named('cookie', match.cookies, (name) => [cookieOf(request, name)]));
  if (match.subprotocols !== undefined) {
    const offered = (request.headers.get('sec-websocket-protocol') ?? '').split(/[,\s]+/);
    found.push({
      ok: match.subprotocols.some((one) => offered.includes(one)),
      condition: `subprotocol ${match.subprotocols.join(' or ')}`,
    });
  }
  if (match.clientIp !== undefined) {
    const negated = 'notIn' in match.clientIp;
    const ranges = 'notIn' in match.clientIp ? match.clientIp.notIn : match.clientIp.in;
    found.push({
      ok: inRanges(ranges, request.clientIp) !== negated,
      condition: `client ${negated ? 'not ' : ''}in ${ranges.join(', ')}`,
    });
  }
  return found;
}
