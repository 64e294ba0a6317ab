import type { EndReason } from '../model/reasons.ts';

/** A Session is one open WebSocket as Envoy's access log tells it. */

export interface Session {
  /** Envoy's stream id, equal to the x-request-id that the agent sees. */
  readonly id: string;
  readonly gateway: string;
  readonly service: string;
  /** Of the instance; null: it was not known when the session was first heard of. */
  readonly version: number | null;
  readonly instance: string | null;
  /** `ip:port` of the instance. */
  readonly upstream: string;
  /** `ip:port` of the gateway's side of its connection to the instance. */
  readonly upstreamLocal: string;
  readonly client: string;
  /** Who a filter or a client certificate says it is; null: nobody was asked. */
  readonly principal: string | null;
  readonly path: string;
  readonly userAgent: string;
  readonly startedAt: string;
  /** Bytes from and to the client, as of the last record. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Envoy's name of the route that matched. */
  readonly route: string;
  /** The routing policy that chose the instance. */
  readonly policy: string | null;
  /** Why it is there, one sentence. */
  readonly reason: string;
  /** It was open already when this control plane first heard of it. */
  readonly heardLate?: true;
  /** Other instances that were tried before and failed; absent: none. */
  readonly retries?: number;
}

export interface EndedSession extends Session {
  readonly endedAt: string;
  readonly durationMs: number;
  readonly endedBy: 'client' | 'agent' | 'gateway' | 'unknown';
  /** How, for programs; and in one sentence. */
  readonly how: EndReason;
  readonly why: string;
  /** Envoy's own words: response flags, then details. */
  readonly details: string;
}

/** What a record of the access log says of a session. */
export interface SeenSession {
  readonly told: Omit<Session, 'service' | 'version' | 'instance' | 'policy' | 'reason'>;
  /** Upstream cluster. */
  readonly cluster: string;
  /** How many instances were tried. */
  readonly attempts: number;
  /** False: it was open already when this control plane first heard of it. */
  readonly isNew: boolean;
  /** From the request's arrival to the agent's 101; undefined: not told. */
  readonly handshakeMs?: number | undefined;
}

export type Ending = Pick<EndedSession, 'endedBy' | 'how' | 'why' | 'details'> & {
  readonly durationMs: number | undefined;
  readonly bytesReceived: number | undefined;
  readonly bytesSent: number | undefined;
};

export type SessionChange =
  | { readonly type: 'opened'; readonly session: Session; readonly seen: Pick<SeenSession, 'isNew' | 'handshakeMs'> }
  | { readonly type: 'ended'; readonly session: EndedSession };

/** How many sessions are open where, and whether the number can be trusted to be complete. */
export interface SessionCounts {
  /** Open sessions by `ip:port` of the instance: the table's, corrected by the gateways' own counts where those differ for more than a moment. */
  readonly byUpstream: ReadonlyMap<string, number>;
  readonly total: number;
  /** Sessions that the gateways count and the table does not list (yet), less those that it lists and they don't count. 0: it is exact. */
  readonly unlisted: number;
  /**
   * False while an adopted Envoy may still have sessions that it has not told this control plane of (within one flush
   * interval of connecting), or while no Envoy is connected: a count of zero then proves nothing.
   */
  readonly settled: boolean;
  /** Every session that the control plane was asked about is listed: those that have ended meanwhile may be too. True when it is settled. */
  readonly whole: boolean;
}
