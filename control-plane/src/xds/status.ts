/** What is known of each connected Envoy, in the field's four words (istioctl proxy-status). */
import { z } from 'zod';
import { Timestamp } from '../model/meta.ts';

const SyncState = z.enum(['SYNCED', 'STALE', 'NOT_SENT', 'ERROR']);
export type SyncState = z.infer<typeof SyncState>;

const Nack = z.strictObject({
  message: z.string().describe("Envoy's own text."),
  version: z.string().describe('What it refused.'),
  at: Timestamp,
});
type Nack = Readonly<z.infer<typeof Nack>>;

const TypeSync = z.strictObject({
  state: SyncState,
  sent: z.string().describe('Version of the last response; empty: none yet.'),
  acked: z.string().describe('Version of the last one that it acknowledged; empty: none yet.'),
  nack: Nack.exactOptional().describe('The last refusal, until content that it accepts.'),
});
export type TypeSync = Readonly<z.infer<typeof TypeSync>>;

/** One resource as one Envoy has it. Times are ISO. */
export interface ResourceSync {
  readonly name: string;
  readonly state: SyncState;
  /** What it is to have; empty: the resource is to go. */
  readonly version: string;
  /** Version last sent and last acknowledged on this stream, or told by Envoy when it reconnected; empty: none. */
  readonly sent: string;
  readonly acked: string;
  /** Revision of the snapshot that it was last sent from; 0: it was not sent on this stream. */
  readonly revision: number;
  readonly sentAt: string | null;
  /** When the response that it was last in was acknowledged or refused; null: not yet. */
  readonly answeredAt: string | null;
  /** Set while its newest version is refused: Envoy runs `acked`. */
  readonly nack?: Nack;
  /** Encoded messages: what it is to have, and what it has acknowledged. The latter is missing when that is not known. */
  readonly wanted?: Uint8Array;
  readonly running?: Uint8Array;
}

export interface TypeConfig {
  /** `type.googleapis.com/...` */
  readonly type: string;
  /** As in the path of the API: cds, eds, lds, rds, sds, rtds, ecds; of other types the full name of the message. */
  readonly short: string;
  readonly resources: readonly ResourceSync[];
}

interface LastAnswer {
  readonly version: string;
  readonly nonce: string;
  readonly at: string;
}

/** What one stream asks for of one type, and what it answered last. */
export interface SubscriptionState {
  readonly type: string;
  readonly wildcard: boolean;
  readonly names: readonly string[];
  /** Of the last response. */
  readonly nonce: string;
  readonly state: SyncState;
  readonly sent: string;
  readonly acked: string;
  readonly ack: LastAnswer | null;
  readonly nack: (LastAnswer & { readonly message: string }) | null;
}

export interface StreamState {
  readonly node: string;
  readonly group: string;
  readonly peer: string;
  readonly variant: 'sotw' | 'delta';
  readonly connectedAt: string;
  readonly settledRevision: number;
  readonly subscriptions: readonly SubscriptionState[];
}

export const GatewaySync = z.strictObject({
  node: z.string(),
  cluster: z.string(),
  zone: z.string(),
  envoyVersion: z.string().describe('Such as `1.40.0`; empty: not told.'),
  connectedAt: Timestamp,
  variant: z.enum(['sotw', 'delta']),
  ackedRevision: z.int().min(0).describe('The greatest revision that this Envoy runs in full.'),
  types: z.record(z.string(), TypeSync).readonly().describe('By short name: lds, cds, eds, rds.'),
  behind: z.array(z.string()).readonly().describe('Why it stays behind, a sentence each; empty: it does not.'),
});
export type GatewaySync = Readonly<z.infer<typeof GatewaySync>>;

/** Answer to "does every connected Envoy run revision N?". */
export const AckReport = z.strictObject({
  revision: z.int().min(0),
  acked: z.array(z.string()).readonly(),
  pending: z.array(z.string()).readonly(),
  refused: z.array(z.strictObject({ node: z.string(), type: z.string(), message: z.string() })).readonly(),
});
export type AckReport = Readonly<z.infer<typeof AckReport>>;
