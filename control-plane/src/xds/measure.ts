/** What can be counted and timed here, one value an event. The metrics room turns them into series; times are milliseconds. */
import type { PushKind } from './pacer.ts';

interface OfType {
  readonly node: string;
  /** Short name: cds, eds and so on. */
  readonly type: string;
}

export type Measure =
  /** A snapshot was handed to all streams of a group. `waitedMs`: how long its oldest change was gathered; `ms`: how long handing took. */
  | {
      readonly kind: 'push';
      readonly cause: PushKind;
      readonly streams: number;
      readonly waitedMs: number;
      readonly ms: number;
    }
  /** A response was written. `queuedMs`: since its oldest change came to the stream; `bytes`: its resources' bodies. */
  | ({
      readonly kind: 'response';
      readonly variant: 'sotw' | 'delta';
      readonly resources: number;
      readonly removed: number;
      readonly bytes: number;
      readonly queuedMs: number;
    } & OfType)
  /** `ms`: since the response was written; `convergenceMs`: since its oldest change came to the stream. */
  | ({ readonly kind: 'ack' | 'nack'; readonly ms: number; readonly convergenceMs: number } & OfType)
  /** A request with the nonce of an older response. */
  | ({ readonly kind: 'stale' } & OfType)
  /** The limit of a wait between types is over. */
  | ({ readonly kind: 'late'; readonly message: string } & OfType)
  | { readonly kind: 'opened'; readonly node: string; readonly variant: 'sotw' | 'delta' }
  /** `code`: empty when the stream ended well, else the gRPC status that the server gave. */
  | { readonly kind: 'closed'; readonly node: string; readonly code: string; readonly ms: number };
