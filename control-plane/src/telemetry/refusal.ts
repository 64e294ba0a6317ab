/** Why an upgrade request became no session, from the status, Envoy's response flags and its details. */
import type { Flags } from './ending.ts';

export const REFUSAL_CAUSES = [
  'no_route',
  'no_instance',
  'unreachable',
  'refused',
  'timeout',
  'full',
  'rate_limited',
  'unauthorized',
  'bad_request',
  'client_gone',
  'other',
] as const;
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

/** An upgrade request that is over and became no session. */
export interface RefusedRequest {
  readonly gateway: string;
  /** Upstream cluster, and Envoy's name of the route; empty: there was none. */
  readonly cluster: string;
  readonly route: string;
  /** `ip:port` of the instance that was tried last; empty: none was. */
  readonly upstream: string;
  readonly status: number;
  readonly cause: RefusalCause;
  /** Envoy's own words. */
  readonly details: string;
}

/** The flags that tell why. */
export const REFUSAL_FLAGS = [
  'no_healthy_upstream',
  'no_route_found',
  'no_cluster_found',
  'upstream_overflow',
  'upstream_connection_failure',
  'upstream_connection_termination',
  'upstream_remote_reset',
  'upstream_request_timeout',
  'duration_timeout',
  'rate_limited',
  'downstream_connection_termination',
  'downstream_protocol_error',
] as const;

const BY_FLAG: Readonly<Record<(typeof REFUSAL_FLAGS)[number], RefusalCause>> = {
  no_healthy_upstream: 'no_instance',
  no_route_found: 'no_route',
  no_cluster_found: 'no_instance',
  upstream_overflow: 'full',
  upstream_connection_failure: 'unreachable',
  upstream_connection_termination: 'unreachable',
  upstream_remote_reset: 'unreachable',
  upstream_request_timeout: 'timeout',
  duration_timeout: 'timeout',
  rate_limited: 'rate_limited',
  downstream_connection_termination: 'client_gone',
  downstream_protocol_error: 'bad_request',
};

export function whyRefused(status: number, flags: Flags, details: string): RefusalCause {
  const flag = REFUSAL_FLAGS.find((one) => flags[one] === true);
  if (flag !== undefined) return BY_FLAG[flag];
  if (details === 'downstream_remote_disconnect') return 'client_gone';
  if (status === 429) return 'rate_limited';
  if (status === 401 || status === 403) return 'unauthorized';
  // The agent itself has answered, with something else than 101.
  if (details === 'via_upstream') return 'refused';
  if (status === 404) return 'no_route';
  if (status === 504 || status === 408) return 'timeout';
  return status >= 400 && status < 500 ? 'bad_request' : 'other';
}
