/** The order in which routes are tried: the first that matches takes the request. Read by the translation and by `explain` alike. */
import type { FleetRoute } from './fleet.ts';
import type { Match, RouteSpec } from './route.ts';

export function conditionCount({ host, headers, query, cookies, subprotocols, clientIp }: Match): number {
  const single = [host, subprotocols, clientIp].filter((one) => one !== undefined).length;
  return headers.length + query.length + cookies.length + single;
}

function pathWeight(path: Match['path']): number {
  if (path === undefined) return 0;
  if ('exact' in path) return 2 * path.exact.length + 1;
  if ('prefix' in path) return 2 * path.prefix.length;
  if ('suffix' in path) return path.suffix.length;
  return 'contains' in path ? path.contains.length : path.regex.length;
}

/** More conditions and longer paths first. */
export function specificity({ match }: RouteSpec): number {
  return pathWeight(match.path) + 4096 * conditionCount(match);
}

export function inOrder(routes: readonly FleetRoute[]): FleetRoute[] {
  return routes
    .map((route) => ({ route, weight: specificity(route.spec) }))
    .sort(
      (a, b) =>
        b.route.spec.priority - a.route.spec.priority || b.weight - a.weight || (a.route.name < b.route.name ? -1 : 1),
    )
    .map(({ route }) => route);
}
