/**
 * What one stream asks for of one type, and what is known of the other side. `known` changes on ACK, not on sending: an Envoy that
 * refuses a response has nothing of it for certain, also not the good ones in it.
 */
import type { TypeSet, TypeUrl, XdsResource } from './snapshot.ts';
import { allowsWildcard } from './types.ts';

export interface InFlight {
  readonly nonce: string;
  /** Names and versions in the response. */
  readonly sent: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  /** Names in it that had to be sent again though their version was known. */
  readonly forced: readonly string[];
  /** The type's version, and the revision, of the snapshot that it was made from. */
  readonly typeVersion: string;
  readonly revision: number;
}

export interface Refusal {
  readonly version: string;
  readonly message: string;
  readonly revision: number;
  readonly at: string;
}

/** Known to be absent on the other side: it asked, and was told that there is none. */
export const ABSENT = '';

export interface Subscription {
  readonly type: TypeUrl;
  wildcard: boolean;
  /** Wildcard only because its first request named nothing; naming anything ends it. */
  legacy: boolean;
  readonly names: Set<string>;
  readonly known: Map<string, string>;
  /** Names to send again though their version is known. */
  readonly forced: Set<string>;
  /** By name: the version that was refused, alone or as the rest of what was isolated. Not sent again until it changes. */
  readonly refused: Map<string, Refusal>;
  /** Parts of a refused response, to be sent one after another until the bad ones stand alone. */
  readonly parts: string[][];
  inFlight: InFlight | undefined;
  /** The last nonce that was sent, also after its ACK. */
  nonce: string;
  answered: boolean;
  sentVersion: string;
  ackedVersion: string;
  lastNack: Refusal | undefined;
}

export function newSubscription(type: TypeUrl): Subscription {
  return {
    type,
    wildcard: false,
    legacy: false,
    names: new Set(),
    known: new Map(),
    forced: new Set(),
    refused: new Map(),
    parts: [],
    inFlight: undefined,
    nonce: '',
    answered: false,
    sentVersion: '',
    ackedVersion: '',
    lastNack: undefined,
  };
}

/** The first request of a type: naming nothing means everything, where the type allows that. */
export function begin(subscription: Subscription, names: readonly string[]): void {
  if (names.length === 0 && allowsWildcard(subscription.type)) {
    subscription.wildcard = true;
    subscription.legacy = true;
  }
}

export function subscribe(subscription: Subscription, names: readonly string[]): void {
  for (const name of names) {
    if (name === '*') {
      subscription.wildcard = true;
      subscription.legacy = false;
      continue;
    }
    subscription.names.add(name);
  }
}

/** Whether a name is wanted at all. */
export function wants(subscription: Subscription, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

const EMPTY: TypeSet = { version: '', resources: new Map() };

export function setOf(types: ReadonlyMap<TypeUrl, TypeSet>, type: TypeUrl): TypeSet {
  return types.get(type) ?? EMPTY;
}

export function* wantedResources(subscription: Subscription, set: TypeSet): Iterable<XdsResource> {
  if (subscription.wildcard) {
    yield* set.resources.values();
    return;
  }
  for (const name of subscription.names) {
    const resource = set.resources.get(name);
    if (resource !== undefined) yield resource;
  }
}

/** True when this version of the resource still has to be sent. */
export function isDue(subscription: Subscription, resource: XdsResource): boolean {
  if (subscription.refused.get(resource.name)?.version === resource.version) return false;
  return subscription.forced.has(resource.name) || subscription.known.get(resource.name) !== resource.version;
}
