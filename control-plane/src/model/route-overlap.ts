/** Routes that can't be reached, or whose order is decided by nothing but their names: said on the route and when it is written. */
import { passes, testOf } from './condition.ts';
import { ENTRY } from './entry.ts';
import type { ConditionReason } from './reasons.ts';
import type { FleetRoute } from './fleet.ts';
import { conditionCount, inOrder, specificity } from './route-order.ts';
import { servicesOf, type Match, type NamedCondition, type PathMatch } from './route.ts';

export interface RouteWarning {
  readonly route: string;
  readonly reason: Extract<ConditionReason, 'Unreachable' | 'OrderByName' | 'TakesStandardPath'>;
  readonly message: string;
}

const LONGEST_SEARCH = 200;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function literal(path: PathMatch | undefined): string | undefined {
  if (path?.caseSensitive !== true) return undefined;
  if ('exact' in path) return path.exact;
  if (!('prefix' in path)) return undefined;
  const base = path.prefix.replace(/\/+$/, '');
  return base === '' ? undefined : base;
}

function pathCovers(a: PathMatch | undefined, b: PathMatch | undefined): boolean {
  if (a === undefined || same(a, b)) return true;
  if (!('prefix' in a)) return false;
  const base = a.prefix.replace(/\/+$/, '');
  if (base === '') return true;
  const below = literal(b);
  return a.caseSensitive && below !== undefined && (below === base || below.startsWith(`${base}/`));
}

function conditionsCover(a: readonly NamedCondition[], b: readonly NamedCondition[]): boolean {
  return a.every((wanted) =>
    b.some(
      (given) =>
        same(given, wanted) ||
        (given.name === wanted.name &&
          given.equals !== undefined &&
          given.caseSensitive &&
          passes(testOf(wanted), given.equals)),
    ),
  );
}

/** Whether every request that `b` matches is matched by `a` too. False when that can not be told. */
export function covers(a: Match, b: Match): boolean {
  return (
    pathCovers(a.path, b.path) &&
    (a.host === undefined || a.host.toLowerCase() === b.host?.toLowerCase()) &&
    conditionsCover(a.headers, b.headers) &&
    conditionsCover(a.query, b.query) &&
    conditionsCover(a.cookies, b.cookies) &&
    (a.subprotocols === undefined || b.subprotocols?.every((one) => a.subprotocols?.includes(one)) === true) &&
    (a.clientIp === undefined || same(a.clientIp, b.clientIp))
  );
}

/** No request can match both: they want different values of one thing. */
function apart(a: Match, b: Match): boolean {
  const differ = (one: readonly NamedCondition[], two: readonly NamedCondition[]): boolean =>
    one.some(({ name, equals, caseSensitive }) =>
      two.some(
        (other) =>
          other.name === name &&
          equals !== undefined &&
          other.equals !== undefined &&
          caseSensitive &&
          other.caseSensitive &&
          other.equals !== equals,
      ),
    );
  return (
    (a.host !== undefined && b.host !== undefined && a.host.toLowerCase() !== b.host.toLowerCase()) ||
    differ(a.headers, b.headers) ||
    differ(a.query, b.query) ||
    differ(a.cookies, b.cookies)
  );
}

function ancestors(path: string): string[] {
  const found: string[] = [];
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) found.push(path.slice(0, at));
  return [...found, path];
}

const MOST_NAMED = 5;

/** Services whose standard path it takes. One with conditions is meant for some of their clients: it is told of only if it names the path. */
function takenFrom({ spec: { match, target } }: FleetRoute, services: ReadonlySet<string>): string[] {
  const [, agents, named = ''] = (literal(match.path) ?? '').split('/');
  const isOfOne = agents === 'agents' && named !== '';
  if (isOfOne && !('prefix' in (match.path ?? {}))) return [];
  if (!isOfOne && conditionCount(match) > 0) return [];
  const own = servicesOf(target);
  return [...services].filter(
    (service) =>
      !own.includes(service) && pathCovers(match.path, { prefix: `/agents/${service}`, caseSensitive: true }),
  );
}

function takesOver(route: FleetRoute, services: ReadonlySet<string>): RouteWarning[] {
  const { name, spec } = route;
  const found = (message: string): RouteWarning => ({ route: name, reason: 'TakesStandardPath', message });
  const taken = takenFrom(route, services).sort();
  const more = taken.length > MOST_NAMED ? ` and ${taken.length - MOST_NAMED} more` : '';
  const list = `${taken.slice(0, MOST_NAMED).join(', ')}${more}`;
  const isEntry =
    conditionCount(spec.match) === 0 && pathCovers(spec.match.path, { exact: ENTRY, caseSensitive: true });
  return [
    ...(taken.length === 0 ? [] : [found(`it takes requests of /agents/<service>, the standard path, from ${list}`)]),
    ...(isEntry ? [found(`it takes every request of ${ENTRY}, whichever service or tags it names`)] : []),
  ];
}

export function routeWarnings(routes: readonly FleetRoute[], services: ReadonlySet<string>): RouteWarning[] {
  const found: RouteWarning[] = [];
  const at = new Map<string, FleetRoute[]>();
  const anywhere: FleetRoute[] = [];
  for (const route of inOrder(routes.filter(({ spec }) => spec.enabled))) {
    const { name, spec } = route;
    const path = literal(spec.match.path);
    const near = path === undefined ? [] : ancestors(path).flatMap((one) => at.get(one) ?? []);
    const earlier = [...anywhere.slice(0, LONGEST_SEARCH), ...near.slice(0, LONGEST_SEARCH)];
    const over = earlier.find((one) => covers(one.spec.match, spec.match));
    if (over !== undefined)
      found.push({
        route: name,
        reason: 'Unreachable',
        message: `it is never reached: route ${over.name} comes first and takes everything that it matches`,
      });
    else {
      const beside = (path === undefined ? [] : (at.get(path) ?? []).slice(0, LONGEST_SEARCH)).find(
        (one) =>
          one.spec.priority === spec.priority &&
          specificity(one.spec) === specificity(spec) &&
          !apart(one.spec.match, spec.match),
      );
      if (beside !== undefined)
        found.push({
          route: name,
          reason: 'OrderByName',
          message: `route ${beside.name} may match the same requests and has the same priority: only its name puts it first`,
        });
    }
    found.push(...takesOver(route, services));
    if (path === undefined) anywhere.push(route);
    else {
      const list = at.get(path);
      if (list === undefined) at.set(path, [route]);
      else list.push(route);
    }
  }
  return found;
}
