/** What differs between state-of-the-world and delta: how a request reads, and what a response must hold. */
import type { TypeSet, XdsResource } from './snapshot.ts';
import type { Subscription } from './subscription.ts';

/** One request, of either variant. Names are those of its type. */
export interface XdsRequest {
  readonly type: string;
  readonly nonce: string;
  /** Envoy's text when it refuses the response of that nonce. */
  readonly error: string | undefined;
  /** State of the world: all names. Delta: names to add. */
  readonly names: readonly string[];
  /** Delta only. */
  readonly unsubscribe?: readonly string[];
  /** Delta, first request: what the client has from before, by name. */
  readonly initialVersions?: Readonly<Record<string, string>>;
}

export interface Content {
  readonly resources: readonly XdsResource[];
  readonly removed: readonly string[];
}

export interface Variant {
  readonly name: 'sotw' | 'delta';
  /** The first request of a type on this stream. */
  first(subscription: Subscription, request: XdsRequest): void;
  /** Changes of names in a later request. `fresh`: its nonce is that of the last response, or it has none. */
  change(subscription: Subscription, request: XdsRequest, set: TypeSet, fresh: boolean): void;
  /** What to send now; undefined: nothing. With `hold`, what only removes waits. */
  content(subscription: Subscription, set: TypeSet, hold: boolean): Content | undefined;
}
