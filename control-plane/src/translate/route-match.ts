/** A route's conditions as Envoy's RouteMatch. What each means for a request that lacks the value is in model/condition.ts. */
import { escapeRegex, pathRegex, testOf, type Test } from '../model/condition.ts';
import type { Match, NamedCondition } from '../model/route.ts';
import type { JsonObject } from '../routing/policy.ts';

const insensitive = (ignoreCase: boolean): string => (ignoreCase ? '(?i)' : '');

function stringMatch(test: Test): JsonObject {
  const ignore = test.ignoreCase ? { ignore_case: true } : {};
  switch (test.kind) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return { [test.kind]: test.text, ...ignore };
    case 'regex':
      return { safe_regex: { regex: `${insensitive(test.ignoreCase)}${test.text}` } };
    case 'in':
      return { safe_regex: { regex: `${insensitive(test.ignoreCase)}(?:${test.list.map(escapeRegex).join('|')})` } };
    case 'present':
      return { safe_regex: { regex: '(?s).*' } };
  }
}

function header(condition: NamedCondition): JsonObject {
  const test = testOf(condition);
  const inverted = test.negated ? { invert_match: true } : {};
  if (test.kind === 'present') return { name: condition.name, present_match: true, ...inverted };
  return {
    name: condition.name,
    string_match: stringMatch(test),
    ...inverted,
    // What is absent is not equal.
    ...(test.negated ? { treat_missing_header_as_empty: true } : {}),
  };
}

function cookie(condition: NamedCondition): JsonObject {
  const test = testOf(condition);
  return {
    name: condition.name,
    string_match: stringMatch(test),
    ...(test.negated ? { invert_match: true } : {}),
  };
}

/** Envoy can't negate a match on a parameter: it becomes one on the whole path, of which no parameter of that name may have the value. */
function noSuchParameter({ name }: NamedCondition, test: Test): JsonObject {
  const values = test.kind === 'exact' ? [test.text] : test.list;
  const value =
    test.kind === 'present' ? '(?:=[^&]*)?' : `=(?${test.ignoreCase ? 'i' : ''}:${values.map(escapeRegex).join('|')})`;
  return {
    name: ':path',
    string_match: { safe_regex: { regex: `[^?]*\\?(?:.*&)?${escapeRegex(name)}${value}(?:&.*)?` } },
    invert_match: true,
  };
}

/** Everything but the path and the client's address, which is in `client-address.ts`. `more`: conditions on headers beside the match's own. */
export function conditions(match: Match, more: readonly JsonObject[] = []): JsonObject {
  const headers: JsonObject[] = [...more];
  const parameters: JsonObject[] = [];
  if (match.host !== undefined)
    headers.push({
      name: ':authority',
      string_match: { safe_regex: { regex: `(?i)${escapeRegex(match.host)}(:[0-9]+)?` } },
    });
  headers.push(...match.headers.map(header));
  for (const condition of match.query) {
    const test = testOf(condition);
    if (test.negated) headers.push(noSuchParameter(condition, test));
    else if (test.kind === 'present') parameters.push({ name: condition.name, present_match: true });
    else parameters.push({ name: condition.name, string_match: stringMatch(test) });
  }
  if (match.subprotocols !== undefined) {
    const offered = match.subprotocols.map(escapeRegex).join('|');
    headers.push({
      name: 'sec-websocket-protocol',
      string_match: { safe_regex: { regex: `(?:.*[,\\s])?(?:${offered})(?:[,\\s].*)?` } },
    });
  }
  const cookies = match.cookies.map(cookie);
  return {
    ...(headers.length === 0 ? {} : { headers }),
    ...(parameters.length === 0 ? {} : { query_parameters: parameters }),
    ...(cookies.length === 0 ? {} : { cookies }),
  };
}

export interface PathRule {
  readonly match: JsonObject;
  /** Merged into the action. */
  readonly rewrite: JsonObject;
}

const wholePath = (rewrite: string | undefined): JsonObject =>
  rewrite === undefined ? {} : { regex_rewrite: { pattern: { regex: '^[^?]*' }, substitution: rewrite } };

/** Where a prefix gives way to a path that ends with a slash, the slash after the prefix goes with it. */
function prefixRewrite(base: string, caseSensitive: boolean, rewrite: string | undefined): JsonObject {
  if (rewrite === undefined) return {};
  if (!rewrite.endsWith('/')) return { prefix_rewrite: rewrite };
  const regex = `${insensitive(!caseSensitive)}^${escapeRegex(base)}/?`;
  return { regex_rewrite: { pattern: { regex }, substitution: rewrite } };
}

export function pathRule(path: Match['path'], rewrite: string | undefined): PathRule {
  if (path === undefined) return { match: { prefix: '/' }, rewrite: wholePath(rewrite) };
  const caseSensitive = path.caseSensitive ? {} : { case_sensitive: false };
  if ('exact' in path)
    return {
      match: { path: path.exact, ...caseSensitive },
      rewrite: rewrite === undefined ? {} : { prefix_rewrite: rewrite },
    };
  if ('prefix' in path) {
    const base = path.prefix.replace(/\/+$/, '');
    if (base !== '')
      return {
        match: { path_separated_prefix: base, ...caseSensitive },
        rewrite: prefixRewrite(base, path.caseSensitive, rewrite),
      };
    return {
      match: { prefix: '/', ...caseSensitive },
      rewrite: rewrite === undefined ? {} : { prefix_rewrite: `${rewrite.replace(/\/+$/, '')}/` },
    };
  }
  const regex = pathRegex(path);
  return {
    match: { safe_regex: { regex: `${insensitive(!path.caseSensitive)}${regex}` } },
    rewrite: wholePath(rewrite),
  };
}
