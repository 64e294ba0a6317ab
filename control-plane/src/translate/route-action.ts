/** Where a matched route leads, and how the session is opened there. */
import type { FleetShare } from '../model/fleet.ts';
import { ServiceGateway } from '../model/service.ts';
import type { Sticky } from '../model/route.ts';
import { durationMs } from '../model/units.ts';
import type { JsonObject } from '../routing/policy.ts';
import { admissionOfRoute } from './admission.ts';
import { hostOfAction } from './agent-tls.ts';
import { affinityOfRoute } from './affinity.ts';
import { seconds } from './options.ts';
import { rateLimitOfAction, rateLimitOfRoute, rateLimitOfSplit } from './rate-limit.ts';
import { passesUnderscores, withoutPretenders } from './underscores.ts';
import { mutation, plainTimesOfRoute } from './request-kind.ts';
import { BY_KEY, ofVersion, shared } from './versions.ts';

/** A cluster that routes can lead to: a service, or a pool of instances by tags. */
export interface Reachable {
  readonly name: string;
  /** The service that a pool is part of: what its filters count, and its cookies, are the service's. */
  readonly of?: string;
  readonly gateway: ServiceGateway;
  /** From its routing policy, for the route's action. */
  readonly fragment: JsonObject;
  readonly asks?: boolean;
  readonly several?: boolean;
  /** While a rollout goes on: percent of new sessions by version. */
  readonly shares?: readonly FleetShare[];
}

/**
 * What an instance can't have received is tried at others at once: it refuses the connection, or takes none. Nothing else is retried, unless the
 * request is a handshake: BY_KIND in request-kind.ts. Envoy has one count of retries for all reasons.
 */
function retryPolicy(attemptTimeout: ServiceGateway['attemptTimeout']): JsonObject {
  return {
    retry_on: 'connect-failure,refused-stream,reset-before-request',
    // For handshakes, which may be retried for them.
    retriable_status_codes: [502, 503],
    num_retries: 3,
    ...(attemptTimeout === 'off' ? {} : { per_try_timeout: seconds(durationMs(attemptTimeout)) }),
    host_selection_retry_max_attempts: 20,
    retry_host_predicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
        },
      },
    ],
    // Else a retry stays among the instances of the level, all of which may be gone before Envoy knows.
    retry_priority: {
      name: 'envoy.retry_priorities.previous_priorities',
      typed_config: {
        '@type': 'type.googleapis.com/xds.type.v3.TypedStruct',
        type_url: 'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
        value: { update_frequency: 1 },
      },
    },
    retry_back_off: { base_interval: '0.005s', max_interval: '0.05s' },
  };
}

/** Of the virtual host, for all routes that don't say otherwise: Envoy builds a policy for each route that has one, a fifth of the route's cost. */
export const USUAL_RETRIES = retryPolicy('off');

function timing({ gateway: { handshakeTimeout, attemptTimeout, idleTimeout }, several }: Reachable): JsonObject {
  // The only instance would get a handshake that it is slow at a second time.
  const tried = several === true ? attemptTimeout : 'off';
  return {
    // Until the agent's 101 only: it does not end an established session. Plain HTTP has none: request-kind.ts.
    timeout: seconds(durationMs(handshakeTimeout)),
    idle_timeout: idleTimeout === 'off' ? '0s' : seconds(durationMs(idleTimeout)),
    ...(tried === 'off' ? {} : { retry_policy: retryPolicy(tried) }),
  };
}

function hashPolicy(sticky: Sticky): JsonObject {
  if ('query' in sticky) return { query_parameter: { name: sticky.query } };
  if ('header' in sticky) return { header: { header_name: sticky.header } };
  if ('cookie' in sticky) return { cookie: { name: sticky.cookie } };
  return { connection_properties: { source_ip: true } };
}

const serviceOf = ({ of, name }: Reachable): string => of ?? name;

/** The slots of the listener that the service wants. */
function filters(to: Reachable): JsonObject {
  const { gateway, asks } = to;
  const config = {
    ...mutation([...withoutPretenders(gateway.headersWithUnderscores), ...plainTimesOfRoute(gateway.http)]),
    ...passesUnderscores(gateway.headersWithUnderscores),
    ...rateLimitOfRoute(gateway.limits),
    ...admissionOfRoute(serviceOf(to), asks === true),
    ...affinityOfRoute(serviceOf(to), gateway.affinity),
  };
  return Object.keys(config).length === 0 ? {} : { typed_per_filter_config: config };
}

type Action = JsonObject & { route: JsonObject };

function action(to: Reachable, where: JsonObject): Action {
  const { gateway, fragment } = to;
  return {
    route: {
      ...where,
      ...timing(to),
      ...hostOfAction(gateway),
      ...rateLimitOfAction(serviceOf(to), gateway.limits),
      ...fragment,
    },
    ...filters(to),
  };
}

/** A route to one cluster, without its match. */
export function toCluster(to: Reachable): Action {
  const { name, shares } = to;
  if (shares === undefined) return action(to, { cluster: name });
  return action(to, {
    weighted_clusters: { clusters: shared(name, serviceOf(to), shares, 1), use_hash_policy: true },
    ...BY_KEY,
  });
}

/** The same, to the instances of one version alone. */
export function toVersion(to: Reachable, version: number): Action {
  return action(to, { cluster: to.name, ...ofVersion(version) });
}

/** Timeouts and Host of a split are those of its first service. */
export function toSplit(
  split: readonly { readonly weight: number; readonly to: Reachable }[],
  sticky: Sticky | undefined,
): Action {
  const [first] = split;
  if (first === undefined) throw new Error('a split has no part');
  // Shares are percentages of their part.
  const whole = split.some(({ to }) => to.shares !== undefined) ? 100 : 1;
  return {
    route: {
      weighted_clusters: {
        clusters: split.flatMap(({ weight, to }) =>
          (to.shares === undefined
            ? [{ name: to.name, weight: weight * whole }]
            : shared(to.name, serviceOf(to), to.shares, weight)
          ).map((part) => ({ ...part, ...filters(to) })),
        ),
        ...(sticky === undefined ? {} : { use_hash_policy: true }),
      },
      ...timing(first.to),
      ...hostOfAction(first.to.gateway),
      ...rateLimitOfSplit(split.map(({ to }) => to.gateway.limits)),
      ...(sticky === undefined ? {} : { hash_policy: [hashPolicy(sticky)] }),
    },
  };
}
