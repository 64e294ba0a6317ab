/** What a stream sends and notices. */
import type { TypeUrl, XdsResource } from './snapshot.ts';

export interface Send {
  readonly type: TypeUrl;
  readonly nonce: string;
  /** The type's version in the snapshot. */
  readonly version: string;
  readonly resources: readonly XdsResource[];
  /** Delta only. */
  readonly removed: readonly string[];
  /** Only confirms that its resources live: their bodies are left out. */
  readonly heartbeat?: boolean;
  /** Milliseconds since the oldest change in it came to this stream. */
  readonly queuedMs: number;
}

/** `ms` are those since the response was sent, `convergenceMs` since the oldest change in it came to this stream. */
interface Verdict {
  readonly type: TypeUrl;
  readonly version: string;
  readonly ms: number;
  readonly convergenceMs: number;
}

export type Notice =
  | ({ readonly kind: 'ack' } & Verdict)
  | ({ readonly kind: 'nack'; readonly message: string; readonly names: readonly string[] } & Verdict)
  | { readonly kind: 'stale'; readonly type: TypeUrl }
  /** The limit of a wait is over: what waited is sent all the same. */
  | { readonly kind: 'late'; readonly type: TypeUrl; readonly message: string };

export interface Output {
  readonly sends: readonly Send[];
  readonly notices: readonly Notice[];
}

export interface RefusedResource {
  readonly type: TypeUrl;
  readonly name: string;
  readonly message: string;
  /** The revisions above `after` and up to `upTo` do not run for it. */
  readonly after: number;
  readonly upTo: number;
}
