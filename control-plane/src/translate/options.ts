/** What the translation needs beside the fleet: fixed for the life of a control plane, so that listeners never change. */
import type { LoadSignals } from '../model/load.ts';
import type { RoutingPolicy } from '../routing/policy.ts';

export interface TranslateOptions {
  /** Where clients connect: an address in its shortest form; which proxies are believed (ranges); where connections begin with the PROXY protocol. */
  readonly gateway: {
    readonly host: string;
    readonly port: number;
    readonly trustedProxies?: readonly string[];
    readonly proxyProtocol?: { readonly host?: string | undefined; readonly port: number } | undefined;
  };
  /** The static cluster through which Envoy reaches the control plane. */
  readonly controlPlaneCluster: string;
  /** How often Envoy reports each open session. */
  readonly sessionReportMs: number;
  /** An opaque token by instance id: stable over restarts, and it tells nothing. */
  readonly instanceToken: (instance: string) => string;
  /** Undefined: nothing is known of it. */
  readonly signals: (instance: string) => LoadSignals | undefined;
  /** A file of authorities that the gateway's machine trusts, in PEM; undefined: there is none. */
  readonly systemTrust?: string | undefined;
  readonly policies: ReadonlyMap<string, RoutingPolicy<never>>;
}

/** Something that could not be translated. It is left out; all else is served. */
export interface Problem {
  readonly kind: 'Service' | 'Route' | 'Instance';
  readonly name: string;
  readonly message: string;
}

export const seconds = (ms: number): string => `${ms / 1000}s`;
