/** A Session is one open WebSocket as Envoy's access log tells it. */
import { z } from 'zod';
import { Timestamp } from '../model/meta.ts';
import { END_REASONS } from '../model/reasons.ts';

export const Session = z
  .strictObject({
    id: z
      .string()
      .describe("The gateway's own id of it: the x-request-id that the agent sees, unless there is a requestId."),
    requestId: z
      .string()
      .exactOptional()
      .describe('The x-request-id that the client has sent, and that the agent sees; others may have sent the same.'),
    gateway: z.string(),
    service: z.string(),
    version: z
      .int()
      .nullable()
      .describe('Of the instance; null: it was not known when the session was first heard of.'),
    instance: z.string().nullable(),
    upstream: z.string().describe('`ip:port` of the instance.'),
    upstreamLocal: z.string().describe("`ip:port` of the gateway's side of its connection to the instance."),
    client: z.string().describe('`ip:port`; as a trusted proxy tells it, the address alone.'),
    principal: z
      .string()
      .nullable()
      .describe('Who a filter or a client certificate says it is; null: nobody was asked.'),
    path: z.string(),
    userAgent: z.string(),
    startedAt: Timestamp,
    bytesReceived: z.number().describe('From the client, as of the last record.'),
    bytesSent: z.number().describe('To the client, as of the last record.'),
    route: z.string().describe("Envoy's name of the route that matched."),
    policy: z.string().nullable().describe('The routing policy that chose the instance.'),
    reason: z.string().describe('Why it is there, one sentence.'),
    heardLate: z
      .literal(true)
      .exactOptional()
      .describe('It was open already when this control plane first heard of it.'),
    retries: z.int().exactOptional().describe('Other instances that were tried before and failed; absent: none.'),
  })
  .meta({ id: 'Session' });
export type Session = Readonly<z.infer<typeof Session>>;

export const EndedSession = Session.extend({
  endedAt: Timestamp,
  durationMs: z.number(),
  endedBy: z.enum(['client', 'agent', 'gateway', 'unknown']),
  how: z.enum(END_REASONS).describe('For programs.'),
  why: z.string().describe('The same in one sentence.'),
  details: z.string().describe("Envoy's own words: response flags, then details."),
}).meta({ id: 'EndedSession' });
export type EndedSession = Readonly<z.infer<typeof EndedSession>>;

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
  /**
   * Open sessions of an instance of this service at this `ip:port`: those that are listed, and what the gateways count beyond. Two services may
   * have one address, each with its own sessions; what is not listed yet counts for both, so that neither is taken for empty.
   */
  readonly at: (service: string, upstream: string) => number;
  /** The same as people are to see it: without those that have probably ended while no control plane was there. */
  readonly shownAt: (service: string, upstream: string) => number;
  /** As people are to see it. */
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
