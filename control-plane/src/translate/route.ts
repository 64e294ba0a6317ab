/**
 * How clients reach services: the routes of operators by priority, then `/agents/<service>` for each service. All in one virtual host, with
 * the host as a header match: so a route's priority counts across hosts, and one table can be read from top to bottom.
 */
import type { FleetRoute } from '../model/fleet.ts';
import type { RouteSpec } from '../model/route.ts';
import type { JsonObject } from '../routing/policy.ts';
import { HOST_HEADER } from './filters.ts';
import { ROUTES_NAME } from './listener.ts';
import { poolName, toCluster, toSplit, type Reachable } from './route-action.ts';
import { conditions, pathParts } from './route-match.ts';

/** The path of the old manager's one entry. */
export const ENTRY = '/ws';

type Action = JsonObject & { route: JsonObject };

function routesFor(name: string, { match, rewrite }: Pick<RouteSpec, 'match' | 'rewrite'>, action: Action): object[] {
  const extra = conditions(match);
  return pathParts(match.path, rewrite).map((part) => ({
    ...action,
    name: `${name}${part.suffix}`,
    match: { ...part.match, ...extra },
    route: { ...action.route, ...part.rewrite },
  }));
}

/** The clusters of a route's target; a text: why it can not be served. */
export function reach(
  { target }: RouteSpec,
  reachable: ReadonlyMap<string, Reachable>,
): { readonly parts: readonly { readonly weight: number; readonly to: Reachable }[] } | string {
  const names =
    'split' in target
      ? target.split.map(({ service, weight }) => ({ name: service, weight }))
      : [{ name: 'tags' in target ? poolName(target) : target.service, weight: 1 }];
  const parts: { weight: number; to: Reachable }[] = [];
  for (const { name, weight } of names) {
    const to = reachable.get(name);
    if (to === undefined) return `its service ${name} is not there`;
    parts.push({ weight, to });
  }
  return { parts };
}

/** What a route of an operator becomes. */
export function customRoute(
  { name, spec }: FleetRoute,
  parts: readonly { readonly weight: number; readonly to: Reachable }[],
): object[] {
  const [first] = parts;
  const action =
    'split' in spec.target ? toSplit(parts, spec.target.sticky) : first === undefined ? undefined : toCluster(first.to);
  return action === undefined ? [] : routesFor(`route/${name}`, spec, action);
}

/** `/agents/<service>`, with the prefix stripped. */
export function standardRoutes(target: Reachable): object[] {
  const match: RouteSpec['match'] = {
    path: { prefix: `/agents/${target.name}`, caseSensitive: true },
    headers: [],
    query: [],
    cookies: [],
  };
  return routesFor(`service/${target.name}`, { match, rewrite: '/' }, toCluster(target));
}

/** The way in of the manager that was before: `/ws?service=NAME`, or the name in a header `service`. The path goes through as it is. */
export function entryRoutes(target: Reachable): object[] {
  const condition = { name: 'service', equals: target.name, caseSensitive: true };
  const match = { path: { exact: ENTRY, caseSensitive: true }, headers: [], query: [], cookies: [] };
  const action = toCluster(target);
  return [
    ...routesFor(`service/${target.name}?`, { match: { ...match, query: [condition] }, rewrite: undefined }, action),
    ...routesFor(`service/${target.name}#`, { match: { ...match, headers: [condition] }, rewrite: undefined }, action),
  ];
}

export const NO_AGENT_ROUTE = {
  name: 'none',
  match: { prefix: '/' },
  direct_response: { status: 404, body: { inline_string: 'no agent here: a session is opened at /agents/<service>' } },
};

export const VIRTUAL_HOST = { name: 'all', domains: ['*'] };

export const ROUTE_CONFIGURATION = {
  name: ROUTES_NAME,
  // A route to a service that is just going must not make Envoy refuse all routes.
  validate_clusters: false,
  // What filters told each other is not for the agents.
  request_headers_to_remove: [HOST_HEADER],
};
