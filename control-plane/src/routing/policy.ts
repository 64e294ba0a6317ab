/**
 * The RoutingPolicy port: how Envoy picks an instance for a new session. Pure: from a service's instances and their live signals to
 * fragments of Envoy's configuration in proto3 JSON, which the translation merges into the service's cluster, endpoints and route.
 */
import type { z } from 'zod';
import type { FleetInstance } from '../model/fleet.ts';
import type { LoadSignals } from '../model/load.ts';

export type JsonObject = Record<string, unknown>;

export interface PolicyFragment {
  /** Merged into envoy.config.cluster.v3.Cluster. */
  readonly cluster: JsonObject;
  /** load_balancing_weight by instance id, whole numbers from 1 on; absent: equal weights. */
  readonly weights?: ReadonlyMap<string, number>;
  /** Level by instance id, 0 first: a level gets sessions when no instance of those before it can take one. Absent: all are level 0. */
  readonly levels?: ReadonlyMap<string, number>;
  /** Instances that get no new session, whatever their health. */
  readonly excluded?: ReadonlySet<string>;
  /** Merged into envoy.config.route.v3.RouteAction. */
  readonly route?: JsonObject;
  /** A sentence on each instance, for `explain`. */
  readonly reasons?: ReadonlyMap<string, string>;
}

/** What a policy may know beside the instances. */
export interface PolicyContext {
  /** By instance id; what is not known is not there. */
  readonly signals: ReadonlyMap<string, LoadSignals>;
  /** The weights that it gave before. */
  readonly previous: ReadonlyMap<string, number>;
}

export interface RoutingPolicy<Options> {
  readonly name: string;
  /** One line for the documentation. */
  readonly about: string;
  readonly options: z.ZodType<Options>;
  /** It reads the signals: it is applied anew every few seconds, not only when instances change. */
  readonly live?: boolean;
  apply(options: Options, instances: readonly FleetInstance[], context: PolicyContext): PolicyFragment;
}
