/** What is known of each connected Envoy, in the field's four words (istioctl proxy-status). */

export type SyncState = 'SYNCED' | 'STALE' | 'NOT_SENT' | 'ERROR';

interface Nack {
  /** Envoy's own text. */
  readonly message: string;
  /** What it refused. */
  readonly version: string;
  readonly at: string;
}

export interface TypeSync {
  readonly state: SyncState;
  /** Version of the last response sent and of the last one acknowledged; empty: none yet. */
  readonly sent: string;
  readonly acked: string;
  /** The last refusal, until content that it accepts. */
  readonly nack?: Nack;
}

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

export interface GatewaySync {
  readonly node: string;
  readonly cluster: string;
  readonly zone: string;
  /** Such as `1.40.0`; empty: not told. */
  readonly envoyVersion: string;
  readonly connectedAt: string;
  readonly variant: 'sotw' | 'delta';
  /** The greatest revision that this Envoy runs in full. */
  readonly ackedRevision: number;
  /** By short name: lds, cds, eds, rds. */
  readonly types: Readonly<Record<string, TypeSync>>;
  /** Why it stays behind, a sentence each; empty: it does not. */
  readonly behind: readonly string[];
}

/** Answer to "does every connected Envoy run revision N?". */
export interface AckReport {
  readonly revision: number;
  readonly acked: readonly string[];
  readonly pending: readonly string[];
  readonly refused: readonly { readonly node: string; readonly type: string; readonly message: string }[];
}
