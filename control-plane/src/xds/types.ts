/** The resource types that the protocol treats in a way of their own, and the order in which types are sent. */
import type { TypeUrl } from './snapshot.ts';

export const CLUSTER: TypeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
export const ENDPOINT: TypeUrl = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';
export const LISTENER: TypeUrl = 'type.googleapis.com/envoy.config.listener.v3.Listener';
export const ROUTE: TypeUrl = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';

/** https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations */
const ORDER: readonly TypeUrl[] = [CLUSTER, ENDPOINT, LISTENER, ROUTE];

export function inOrder(types: Iterable<TypeUrl>): TypeUrl[] {
  const place = (type: TypeUrl): number => (ORDER.includes(type) ? ORDER.indexOf(type) : ORDER.length);
  return [...types].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** Types whose first request may name nothing and then means everything. */
export function allowsWildcard(type: TypeUrl): boolean {
  return type === CLUSTER || type === LISTENER;
}

const SHORT = new Map<TypeUrl, string>([
  [CLUSTER, 'cds'],
  [ENDPOINT, 'eds'],
  [LISTENER, 'lds'],
  [ROUTE, 'rds'],
]);

export function shortName(type: TypeUrl): string {
  return SHORT.get(type) ?? type.slice(type.lastIndexOf('/') + 1);
}
