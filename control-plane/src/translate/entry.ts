/**
 * The one way in of the manager that was before: `/ws?service=NAME`, or the name in a header `service`. The path goes through as it is. The
 * listener puts the name into a header of ours, whichever way it came. Services that differ in nothing but their name share a route, which
 * leads to the cluster of that name: so this way in costs next to nothing, however many services there are.
 */
import type { RouteSpec } from '../model/route.ts';
import { SERVICE_HEADER } from './filters.ts';
import { toCluster, type Reachable } from './route-action.ts';
import { routeFor, routesTo } from './route.ts';

/** Its path. */
export const ENTRY = '/ws';

const matchOf = (header: Partial<RouteSpec['match']['headers'][number]>): RouteSpec['match'] => ({
  path: { exact: ENTRY, caseSensitive: true },
  headers: [{ name: SERVICE_HEADER, caseSensitive: true, ...header }],
  query: [],
  cookies: [],
});

/** What a service has in common with others, as text; undefined: it needs routes of its own, for its versions or for what filters count on it. */
export function sharedForm(to: Reachable): string | undefined {
  if (to.shares !== undefined) return undefined;
  const { route, ...rest } = toCluster(to);
  return Object.keys(rest).length > 0 ? undefined : JSON.stringify({ ...route, cluster: undefined });
}

/** Of services that share the form. */
export function sharedEntry(form: string, names: readonly string[]): object {
  const route = JSON.parse(form) as Record<string, never>;
  // Only these names: the clusters of Envoy are more than the services.
  const match = matchOf({ in: [...names] });
  return routeFor('entry', { match, rewrite: undefined }, { route: { ...route, cluster_header: SERVICE_HEADER } });
}

export function ownEntry(to: Reachable): object[] {
  return routesTo(`service/${to.name}/ws`, { match: matchOf({ equals: to.name }), rewrite: undefined }, to);
}
