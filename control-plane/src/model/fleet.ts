/**
 * FleetView is what the gateways are to know, and nothing else: the one value that flows from the reconcile loop to the
 * translation into Envoy resources. Immutable and structurally shared: an entry that did not change is the same object as
 * in the view before, so the translation can keep its result by identity.
 */
import type { GatewayCheck } from './gateway-check.ts';
import type { ServiceGateway } from './service.ts';
import type { RouteSpec } from './route.ts';

export interface FleetInstance {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly version: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly zone: string;
  /** The DNS name of its address, where its service uses it for TLS or as Host. */
  readonly hostname?: string;
  /** The service by whose `gateway.tls` it is reached. Absent: plain. */
  readonly tls?: string;
  /** draining keeps its sessions and gets no new ones; unhealthy likewise; degraded gets new ones only if too few are healthy. */
  readonly health: 'healthy' | 'degraded' | 'draining' | 'unhealthy';
}

export interface FleetShare {
  readonly version: number;
  /** Percent of new sessions; all shares of a service add up to 100. */
  readonly weight: number;
}

export interface FleetService {
  readonly name: string;
  readonly gateway: ServiceGateway;
  /** How Envoy checks its instances. Absent: as `gateway` says, without a probe that it could fit. */
  readonly check?: GatewayCheck;
  /** New sessions are opened only after the control plane was asked: they may have to wait for an instance. */
  readonly asks?: boolean;
  /** It may have more than one instance for a long time: what one is slow at can be tried at another. Absent: no. */
  readonly several?: boolean;
  /** Its own tags, which instances have too unless they say otherwise. Absent: none. */
  readonly tags?: Readonly<Record<string, string>>;
  /** While a rollout shares new sessions out: percent by version, the old one first. Absent: any instance will do. */
  readonly shares?: readonly FleetShare[];
  /** Sorted by id. */
  readonly instances: readonly FleetInstance[];
}

export interface FleetRoute {
  readonly name: string;
  readonly spec: RouteSpec;
}

export interface FleetView {
  /** The store revision that this view shows. */
  readonly revision: number;
  /** Grows with every published view, also when only health changed. */
  readonly generation: number;
  /** Sorted by name. */
  readonly services: readonly FleetService[];
  /** Enabled routes, sorted by name. */
  readonly routes: readonly FleetRoute[];
}
