/**
 * The RoutingPolicy port: how Envoy picks an instance for a new session. Pure: from a service to fragments of Envoy's
 * configuration in proto3 JSON, which the translation merges into the service's cluster, endpoints and route.
 */
import type { z } from 'zod';
import type { FleetInstance } from '../model/fleet.ts';

export type JsonObject = Record<string, unknown>;

export interface PolicyFragment {
  /** Merged into envoy.config.cluster.v3.Cluster. */
  readonly cluster: JsonObject;
  /** load_balancing_weight by instance id, 1 or more; absent: equal weights. */
  readonly weights?: ReadonlyMap<string, number>;
  /** Merged into envoy.config.route.v3.RouteAction. */
  readonly route?: JsonObject;
}

export interface RoutingPolicy<Options> {
  readonly name: string;
  /** One line for the documentation. */
  readonly about: string;
  readonly options: z.ZodType<Options>;
  apply(options: Options, instances: readonly FleetInstance[]): PolicyFragment;
}
