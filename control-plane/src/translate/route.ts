/**
 * How clients reach services: the routes of operators by priority, then `/agents/<service>` for each service. All in one virtual host, with
 * the host as a header match: so a route's priority counts across hosts, and one table can be read from top to bottom.
 */
import type { FleetRoute, FleetService } from '../model/fleet.ts';
import type { RouteSpec } from '../model/route.ts';
import { durationMs } from '../model/units.ts';
import { affinityOfRoute } from './affinity.ts';
import { HOST_HEADER } from './filters.ts';
import { ROUTES_NAME } from './listener.ts';
import { seconds, type Problem } from './options.ts';

export interface Reachable {
  readonly service: FleetService;
  /** From its routing policy. */
  readonly fragment: object;
}

const RETRY_ON = 'connect-failure,refused-stream,reset,retriable-status-codes';

/** The upgrade is tried at other instances when one refuses, hangs or answers 502 or 503; the client notices nothing. */
function retryPolicy(attemptTimeoutMs: number): object {
  return {
    retry_on: RETRY_ON,
    retriable_status_codes: [502, 503],
    num_retries: 3,
    per_try_timeout: seconds(attemptTimeoutMs),
    host_selection_retry_max_attempts: 20,
    retry_host_predicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
        },
      },
    ],
    retry_back_off: { base_interval: '0.005s', max_interval: '0.05s' },
  };
}

function action({ service, fragment }: Reachable): object {
  const { handshakeTimeout, attemptTimeout, idleTimeout } = service.gateway;
  return {
    cluster: service.name,
    // Until the agent's 101 only: it does not end an established session.
    timeout: seconds(durationMs(handshakeTimeout)),
    idle_timeout: idleTimeout === 'off' ? '0s' : seconds(durationMs(idleTimeout)),
    retry_policy: retryPolicy(durationMs(attemptTimeout)),
    ...fragment,
  };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function conditions({ host, headers, query }: RouteSpec['match']): object {
  const hosts =
    host === undefined
      ? []
      : [{ name: ':authority', string_match: { safe_regex: { regex: `(?i)${escaped(host)}(:[0-9]+)?` } } }];
  const headerMatches = [...hosts, ...headers.map(({ name, equals }) => ({ name, string_match: { exact: equals } }))];
  return {
    ...(headerMatches.length === 0 ? {} : { headers: headerMatches }),
    ...(query.length === 0
      ? {}
      : { query_parameters: query.map(({ name, equals }) => ({ name, string_match: { exact: equals } })) }),
  };
}

/** A prefix matches whole segments: it becomes two matches, so that the rewritten path is right for both. */
function routesFor(
  name: string,
  path: RouteSpec['match']['path'],
  extra: object,
  rewrite: string | undefined,
  target: Reachable,
): object[] {
  const to = action(target);
  const route = (part: string, match: object, replacement: object): object => ({
    name: `${name}${part}`,
    match: { ...match, ...extra },
    route: { ...to, ...replacement },
    ...affinityOfRoute(target.service.name, target.service.gateway.affinity),
  });
  if (path === undefined)
    return [
      route(
        '',
        { prefix: '/' },
        rewrite === undefined ? {} : { regex_rewrite: { pattern: { regex: '^[^?]*' }, substitution: rewrite } },
      ),
    ];
  if ('exact' in path)
    return [route('', { path: path.exact }, rewrite === undefined ? {} : { prefix_rewrite: rewrite })];
  const base = path.prefix.replace(/\/+$/, '');
  const below = rewrite === undefined ? {} : { prefix_rewrite: `${rewrite.replace(/\/+$/, '')}/` };
  const exactly = rewrite === undefined ? {} : { prefix_rewrite: rewrite };
  return base === ''
    ? [route('', { prefix: '/' }, below)]
    : [route('', { path: base }, exactly), route('/', { prefix: `${base}/` }, below)];
}

/** More conditions and longer paths first. */
function specificity({ match }: RouteSpec): number {
  const length =
    match.path === undefined
      ? 0
      : 'exact' in match.path
        ? 2 * match.path.exact.length + 1
        : 2 * match.path.prefix.length;
  return length + 4096 * (match.headers.length + match.query.length + (match.host === undefined ? 0 : 1));
}

/** The routes of operators, in the order in which they are matched. */
export function customRoutes(
  routes: readonly FleetRoute[],
  services: ReadonlyMap<string, Reachable>,
): { routes: { name: string; routes: object[] }[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const ordered = [...routes].sort(
    (a, b) =>
      b.spec.priority - a.spec.priority || specificity(b.spec) - specificity(a.spec) || (a.name < b.name ? -1 : 1),
  );
  const found = ordered.flatMap(({ name, spec }) => {
    const target = services.get(spec.target.service);
    if (target === undefined) {
      problems.push({ kind: 'Route', name, message: `its service ${spec.target.service} is not there` });
      return [];
    }
    return [
      { name, routes: routesFor(`route/${name}`, spec.match.path, conditions(spec.match), spec.rewrite, target) },
    ];
  });
  return { routes: found, problems };
}

/** `/agents/<service>`, with the prefix stripped. */
export function standardRoutes(target: Reachable): object[] {
  return routesFor(`service/${target.service.name}`, { prefix: `/agents/${target.service.name}` }, {}, '/', target);
}

export const NO_AGENT_ROUTE = {
  name: 'none',
  match: { prefix: '/' },
  direct_response: { status: 404, body: { inline_string: 'no agent here: a session is opened at /agents/<service>' } },
};

export const VIRTUAL_HOST = { name: 'all', domains: ['*'] };

/** A route to a service that is just going must not make Envoy refuse all routes. */
export const ROUTE_CONFIGURATION = {
  name: ROUTES_NAME,
  validate_clusters: false,
  // What filters told each other is not for the agents.
  request_headers_to_remove: [HOST_HEADER],
};
