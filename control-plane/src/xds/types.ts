/** The resource types that the protocol treats in a way of their own, and the order in which types are sent. */
import type { TypeUrl } from './snapshot.ts';

export const CLUSTER: TypeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
export const ENDPOINT: TypeUrl = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';
export const LISTENER: TypeUrl = 'type.googleapis.com/envoy.config.listener.v3.Listener';
export const ROUTE: TypeUrl = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';
export const SECRET: TypeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
export const RUNTIME: TypeUrl = 'type.googleapis.com/envoy.service.runtime.v3.Runtime';
export const EXTENSION: TypeUrl = 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig';

/** Istio's clients ask for it as a sign of life, also before they say who they are. */
export const HEALTH_PROBE: TypeUrl = 'type.googleapis.com/istio.v1.HealthInformation';

interface KnownType {
  readonly url: TypeUrl;
  readonly short: string;
  /** Its own discovery service, beside the aggregated one. */
  readonly service: string;
}

/** In the order of sending: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations */
export const TYPES: readonly KnownType[] = [
  { url: CLUSTER, short: 'cds', service: 'envoy.service.cluster.v3.ClusterDiscoveryService' },
  { url: ENDPOINT, short: 'eds', service: 'envoy.service.endpoint.v3.EndpointDiscoveryService' },
  { url: LISTENER, short: 'lds', service: 'envoy.service.listener.v3.ListenerDiscoveryService' },
  { url: ROUTE, short: 'rds', service: 'envoy.service.route.v3.RouteDiscoveryService' },
  { url: SECRET, short: 'sds', service: 'envoy.service.secret.v3.SecretDiscoveryService' },
  { url: RUNTIME, short: 'rtds', service: 'envoy.service.runtime.v3.RuntimeDiscoveryService' },
  { url: EXTENSION, short: 'ecds', service: 'envoy.service.extension.v3.ExtensionConfigDiscoveryService' },
];

const PLACE = new Map(TYPES.map(({ url }, index) => [url, index]));
const SHORT = new Map(TYPES.map(({ url, short }) => [url, short]));

/** Types that are not known come last, by name. */
export function inOrder(types: Iterable<TypeUrl>): TypeUrl[] {
  const place = (type: TypeUrl): number => PLACE.get(type) ?? TYPES.length;
  return [...types].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** Types whose first request may name nothing and then means everything: all but those that are only asked for by name. */
export function allowsWildcard(type: TypeUrl): boolean {
  return isFullState(type) || !PLACE.has(type);
}

/** State of the world: what is absent from a response is deleted, so every response is the full set. */
export function isFullState(type: TypeUrl): boolean {
  return type === CLUSTER || type === LISTENER;
}

/** A filter's configuration is never taken away: https://github.com/envoyproxy/envoy/issues/32823 */
export function isNeverRemoved(type: TypeUrl): boolean {
  return type === EXTENSION;
}

/** `cds`, `eds` and so on; of other types the message's full name. */
export function shortName(type: TypeUrl): string {
  return SHORT.get(type) ?? type.slice(type.lastIndexOf('/') + 1);
}
