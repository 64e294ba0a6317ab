/**
 * Which other resources a resource leads to, read straight from its bytes: only the fields that name something are looked at, so that
 * thousands of routes cost a fraction of a millisecond. Kept for as long as the resource lives.
 */
import { bytesAt, numberAt, textsAt } from '@switchboard/proto';
import type { TypeUrl, XdsResource } from './snapshot.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET } from './types.ts';

export interface References {
  readonly clusters: readonly string[];
  readonly endpoints: readonly string[];
  readonly routes: readonly string[];
}

const NONE: References = { clusters: [], endpoints: [], routes: [] };

/** envoy.config.cluster.v3.Cluster: type = 2 (EDS is 3), eds_cluster_config = 3 { service_name = 2 }. */
function ofCluster({ name, body }: XdsResource): References {
  if (numberAt(body, 2) !== 3) return NONE;
  return { ...NONE, endpoints: [textsAt(body, [3, 2]).at(-1) ?? name] };
}

/** Actions of on_match: action = 2 { typed_config = 2 }, an Any with value = 2, envoy.config.route.v3.RouteList: routes = 1, route = 2. */
const LISTED = [2, 2, 2, 1, 2];

/**
 * virtual_hosts = 2, with routes = 3 { route = 2 }, or matcher = 21: matcher_tree = 2 with exact and prefix maps = 2 and 3 { map = 1 { value = 2 } },
 * on_no_match = 3. An action has cluster = 1, or weighted_clusters = 3 { clusters = 1 { name = 1 } }.
 */
function ofRoutes(body: Uint8Array): References {
  const actions = [
    ...bytesAt(body, [2, 3, 2]),
    ...bytesAt(body, [2, 21]).flatMap((matcher) => [
      ...[2, 3].flatMap((map) => bytesAt(matcher, [2, map, 1, 2, ...LISTED])),
      ...bytesAt(matcher, [3, ...LISTED]),
    ]),
  ];
  const clusters = actions.flatMap((one) => [...textsAt(one, [1]), ...textsAt(one, [3, 1, 1])]);
  return { ...NONE, clusters: [...new Set(clusters)] };
}

const CONNECTION_MANAGER =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

/** Connection managers in filter_chains = 3, default_filter_chain = 25 and api_listener = 19; rds = 3 { route_config_name = 2 }, route_config = 4. */
function ofListener(body: Uint8Array): References {
  const anys = [...bytesAt(body, [3, 3, 4]), ...bytesAt(body, [25, 3, 4]), ...bytesAt(body, [19, 1])];
  const managers = anys
    .filter((any) => textsAt(any, [1])[0] === CONNECTION_MANAGER)
    .flatMap((any) => bytesAt(any, [2]));
  return {
    ...NONE,
    routes: managers.flatMap((one) => textsAt(one, [3, 2])),
    clusters: managers.flatMap((one) => bytesAt(one, [4])).flatMap((inline) => ofRoutes(inline).clusters),
  };
}

const known = new WeakMap<XdsResource, References>();

/** Throws when the bytes are no message at all. */
export function referencesOf(type: TypeUrl, resource: XdsResource): References {
  let references = known.get(resource);
  if (references === undefined) {
    references =
      type === CLUSTER
        ? ofCluster(resource)
        : type === ROUTE
          ? ofRoutes(resource.body)
          : type === LISTENER
            ? ofListener(resource.body)
            : NONE;
    known.set(resource, references);
  }
  return references;
}

/** The name that an EDS cluster asks for. */
export function endpointsOf(cluster: XdsResource): string {
  try {
    return referencesOf(CLUSTER, cluster).endpoints[0] ?? cluster.name;
  } catch {
    return cluster.name;
  }
}

const NAMED: ReadonlySet<TypeUrl> = new Set([CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET]);
const names = new WeakMap<XdsResource, string>();

/** The name within the message, where its type is known to have one as field 1. */
export function nameWithin(type: TypeUrl, resource: XdsResource): string | undefined {
  if (!NAMED.has(type)) return undefined;
  let name = names.get(resource);
  if (name === undefined) {
    name = textsAt(resource.body, [1]).at(-1) ?? '';
    names.set(resource, name);
  }
  return name;
}
