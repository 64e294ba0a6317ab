/**
 * How clients reach services: the routes of operators by priority, then `/agents/<service>` for each service. All in one virtual host, with
 * the host as a header match: so a route's priority counts across hosts, and one table can be read from top to bottom.
 */
import type { FleetRoute } from '../model/fleet.ts';
import { MISLEADING_PATH } from '../model/path-spelling.ts';
import type { RouteSpec } from '../model/route.ts';
import { VERSION_HEADER, VERSION_QUERY, versionCookie } from '../model/version-choice.ts';
import type { JsonObject } from '../routing/policy.ts';
import { clientCondition } from './client-address.ts';
import { ASKED_ID_HEADER, HEADERS_OF_OURS } from './filters.ts';
import { ROUTES_NAME } from './listener.ts';
import { poolName } from './pools.ts';
import { FORWARDED_PREFIX, PREFIX_SLOT, prefixOfRoute } from './prefix.ts';
import { BY_KIND } from './request-kind.ts';
import { USUAL_RETRIES, toCluster, toSplit, toVersion, type Reachable } from './route-action.ts';
import { conditions, pathRule } from './route-match.ts';

type Action = JsonObject & { route: JsonObject };
interface At extends Pick<RouteSpec, 'match' | 'rewrite'> {
  /** Envoy's own conditions on headers, beside those of the match. */
  readonly headers?: readonly JsonObject[];
}
interface Equals {
  readonly equals: string;
  readonly caseSensitive: true;
}

export function routeFor(name: string, { match, rewrite, headers = [] }: At, action: Action): object {
  const path = pathRule(match.path, rewrite);
  return {
    ...action,
    ...prefixOfRoute({ match, rewrite }),
    name,
    match: { ...path.match, ...conditions(match, headers) },
    route: { ...action.route, ...path.rewrite },
  };
}

/** To one service. While several versions of it serve, a client may name one, and comes back to the one that it had. */
export function routesTo(name: string, at: At, to: Reachable): object[] {
  const { match } = at;
  const versions = (to.shares ?? []).map((share) => share.version);
  const named = (mark: string, narrowed: (equals: Equals) => RouteSpec['match']): object[] =>
    versions.map((version) => {
      const spec = { ...at, match: narrowed({ equals: String(version), caseSensitive: true }) };
      return routeFor(`${name}/${mark}${version}`, spec, toVersion(to, version));
    });
  return [
    ...named('@', (equals) => ({ ...match, headers: [...match.headers, { name: VERSION_HEADER, ...equals }] })),
    ...named('?', (equals) => ({ ...match, query: [...match.query, { name: VERSION_QUERY, ...equals }] })),
    ...named('=', (equals) => ({
      ...match,
      cookies: [...match.cookies, { name: versionCookie(to.of ?? to.name), ...equals }],
    })),
    routeFor(name, at, toCluster(to)),
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
  trustedProxies: readonly string[],
): object[] {
  const at = { ...spec, headers: clientCondition(spec.match.clientIp, trustedProxies) };
  if ('split' in spec.target) return [routeFor(`route/${name}`, at, toSplit(parts, spec.target.sticky))];
  return parts.flatMap(({ to }) => routesTo(`route/${name}`, at, to));
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

/** Its name is the code of the answer. */
export const refusalRoute = (name: string, match: JsonObject, message: string): object => ({
  name,
  match,
  direct_response: { status: 404, body: { inline_string: message } },
});

export const NO_AGENT_ROUTE = refusalRoute(
  'no_route',
  { prefix: '/' },
  'no agent here: a session is opened at /agents/<service>',
);

/** Before all others. */
export const misleadingRoute = (regex: string): object =>
  refusalRoute(MISLEADING_PATH.code, { safe_regex: { regex } }, MISLEADING_PATH.message);

export const VIRTUAL_HOST = {
  name: 'all',
  domains: ['*'],
  retry_policy: USUAL_RETRIES,
  // Before what is ours is removed.
  request_headers_to_add: [
    FORWARDED_PREFIX,
    {
      header: { key: 'x-request-id', value: `%REQ(${ASKED_ID_HEADER}?x-request-id)%` },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    },
  ],
  typed_per_filter_config: { ...BY_KIND, ...PREFIX_SLOT },
};

export const ROUTE_CONFIGURATION = {
  name: ROUTES_NAME,
  // A route to a service that is just going must not make Envoy refuse all routes.
  validate_clusters: false,
  // What filters told each other is not for the agents.
  request_headers_to_remove: HEADERS_OF_OURS,
};
