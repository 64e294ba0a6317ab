/**
 * How clients reach services: the routes of operators by priority, then `/agents/<service>` for each service. All in one virtual host, with
 * the host as a header match: so a route's priority counts across hosts, and one table can be read from top to bottom.
 */
import type { FleetRoute } from '../model/fleet.ts';
import type { RouteSpec } from '../model/route.ts';
import { VERSION_HEADER, VERSION_QUERY, versionCookie } from '../model/version-choice.ts';
import type { JsonObject } from '../routing/policy.ts';
import { HOST_HEADER } from './filters.ts';
import { ROUTES_NAME } from './listener.ts';
import { USUAL_RETRIES, poolName, toCluster, toSplit, toVersion, type Reachable } from './route-action.ts';
import { conditions, pathParts } from './route-match.ts';

/** The path of the old manager's one entry. */
export const ENTRY = '/ws';

type Action = JsonObject & { route: JsonObject };
interface Equals {
  readonly equals: string;
  readonly caseSensitive: true;
}

function routesFor(name: string, { match, rewrite }: Pick<RouteSpec, 'match' | 'rewrite'>, action: Action): object[] {
  const extra = conditions(match);
  return pathParts(match.path, rewrite).map((part) => ({
    ...action,
    name: `${name}${part.suffix}`,
    match: { ...part.match, ...extra },
    route: { ...action.route, ...part.rewrite },
  }));
}

/** To one service. While several versions of it serve, a client may name one, and comes back to the one that it had. */
function routesTo(name: string, { match, rewrite }: Pick<RouteSpec, 'match' | 'rewrite'>, to: Reachable): object[] {
  const versions = (to.shares ?? []).map((share) => share.version);
  const named = (mark: string, narrowed: (equals: Equals) => RouteSpec['match']): object[] =>
    versions.flatMap((version) => {
      const spec = { match: narrowed({ equals: String(version), caseSensitive: true }), rewrite };
      return routesFor(`${name}/${mark}${version}`, spec, toVersion(to, version));
    });
  return [
    ...named('@', (equals) => ({ ...match, headers: [...match.headers, { name: VERSION_HEADER, ...equals }] })),
    ...named('?', (equals) => ({ ...match, query: [...match.query, { name: VERSION_QUERY, ...equals }] })),
    ...named('=', (equals) => ({ ...match, cookies: [...match.cookies, { name: versionCookie(to.name), ...equals }] })),
    ...routesFor(name, { match, rewrite }, toCluster(to)),
  ];
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
  if ('split' in spec.target) return routesFor(`route/${name}`, spec, toSplit(parts, spec.target.sticky));
  return parts.flatMap(({ to }) => routesTo(`route/${name}`, spec, to));
}

/** `/agents/<service>`, with the prefix stripped. */
export function standardRoutes(target: Reachable): object[] {
  const match: RouteSpec['match'] = {
    path: { prefix: `/agents/${target.name}`, caseSensitive: true },
    headers: [],
    query: [],
    cookies: [],
  };
  return routesTo(`service/${target.name}`, { match, rewrite: '/' }, target);
}

/** The way in of the manager that was before: `/ws?service=NAME`, or the name in a header `service`. The path goes through as it is. */
export function entryRoutes(target: Reachable): object[] {
  const condition = { name: 'service', equals: target.name, caseSensitive: true };
  const match = { path: { exact: ENTRY, caseSensitive: true }, headers: [], query: [], cookies: [] };
  return [
    ...routesTo(`service/${target.name}/ws?`, { match: { ...match, query: [condition] }, rewrite: undefined }, target),
    ...routesTo(
      `service/${target.name}/ws#`,
      { match: { ...match, headers: [condition] }, rewrite: undefined },
      target,
    ),
  ];
}

export const NO_AGENT_ROUTE = {
  name: 'none',
  match: { prefix: '/' },
  direct_response: { status: 404, body: { inline_string: 'no agent here: a session is opened at /agents/<service>' } },
};

export const VIRTUAL_HOST = { name: 'all', domains: ['*'], retry_policy: USUAL_RETRIES };

export const ROUTE_CONFIGURATION = {
  name: ROUTES_NAME,
  // A route to a service that is just going must not make Envoy refuse all routes.
  validate_clusters: false,
  // What filters told each other is not for the agents.
  request_headers_to_remove: [HOST_HEADER],
};
