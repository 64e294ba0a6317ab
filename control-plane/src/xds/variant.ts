/** What differs between state-of-the-world and delta: how a request reads, and what a response must hold. */
import type { TypeSet, TypeUrl, XdsResource } from './snapshot.ts';
import type { Subscription } from './subscription.ts';

/** One request, of either variant. Names are those of its type. */
export interface XdsRequest {
  readonly type: string;
  readonly nonce: string;
  /** Envoy's text when it refuses the response of that nonce. */
  readonly error: string | undefined;
  /** State of the world: all names. Delta: names to add. */
  readonly names: readonly string[];
  /** State of the world: what it accepted last, also on a stream before this one. */
  readonly version?: string;
  /** Delta only. */
  readonly unsubscribe?: readonly string[];
  /** Delta, first request: what the client has from before, by name. */
  readonly initialVersions?: Readonly<Record<string, string>>;
}

export interface Content {
  /** What is new for the other side. */
  readonly resources: readonly XdsResource[];
  readonly removed: readonly string[];
}

export interface Variant {
  readonly name: 'sotw' | 'delta';
  /** The first request of a type on this stream. Returns names to look at. */
  first(subscription: Subscription, request: XdsRequest): Iterable<string>;
  /** Changes of names in a later request. `fresh`: its nonce is that of the last response. Returns names to look at. */
  change(subscription: Subscription, request: XdsRequest, set: TypeSet, fresh: boolean): Iterable<string>;
  /** Whether the other side is told that a resource of this type is gone. */
  tellsRemoval(type: TypeUrl): boolean;
  /** Whether it is told that a name it has nothing of does not exist. */
  tellsAbsence(subscription: Subscription, name: string): boolean;
  /** The resources of a response that brings `content`. */
  assemble(subscription: Subscription, set: TypeSet, content: Content): readonly XdsResource[];
}
