/** A Session is one open WebSocket as Envoy's access log tells it. */

export interface Session {
  /** Envoy's stream id, equal to x-request-id. */
  readonly id: string;
  readonly gateway: string;
  /** Upstream cluster, which is the service's name. */
  readonly service: string;
  /** `ip:port` of the instance. */
  readonly upstream: string;
  readonly client: string;
  readonly path: string;
  readonly userAgent: string;
  readonly startedAt: string;
  /** Payload bytes from and to the client, as of the last record. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** How many sessions are open where, and whether the number can be trusted to be complete. */
export interface SessionCounts {
  /** Open sessions by `ip:port` of the instance. */
  readonly byUpstream: ReadonlyMap<string, number>;
  readonly total: number;
  /**
   * False while an adopted Envoy may still have sessions that it has not told this control plane of (within one flush
   * interval of connecting), or while no Envoy is connected: a count of zero then proves nothing.
   */
  readonly settled: boolean;
}
