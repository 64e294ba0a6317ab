/** What is known of each connected Envoy, in the field's four words (istioctl proxy-status). */

export type SyncState = 'SYNCED' | 'STALE' | 'NOT_SENT' | 'ERROR';

export interface TypeSync {
  readonly state: SyncState;
  /** Version of the last response sent and of the last one acknowledged; empty: none yet. */
  readonly sent: string;
  readonly acked: string;
  /** Envoy's own text of the last refusal, until content that it accepts. */
  readonly nack?: { readonly message: string; readonly version: string; readonly at: string };
}

export interface GatewaySync {
  readonly node: string;
  readonly cluster: string;
  readonly zone: string;
  /** Such as `1.40.0`; empty: not told. */
  readonly envoyVersion: string;
  readonly connectedAt: string;
  /** `sotw` or `delta`. */
  readonly variant: 'sotw' | 'delta';
  /** The greatest revision that this Envoy runs in full. */
  readonly ackedRevision: number;
  /** By short name: lds, cds, eds, rds. */
  readonly types: Readonly<Record<string, TypeSync>>;
}

/** Answer to "does every connected Envoy run revision N?". */
export interface AckReport {
  readonly revision: number;
  readonly acked: readonly string[];
  readonly pending: readonly string[];
  readonly refused: readonly { readonly node: string; readonly type: string; readonly message: string }[];
}
