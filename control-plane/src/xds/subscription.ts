/**
 * What one stream asks for of one type, and what is known of the other side. `known` changes on ACK, not on sending: an Envoy that
 * refuses a response has nothing of it for certain, also not the good ones in it.
 */
import { KnownNames } from './known.ts';
import type { TypeSet, TypeUrl, XdsResource } from './snapshot.ts';

/** What became of a response; kept for each name in it after its resources are let go. */
export interface Receipt {
  readonly nonce: string;
  readonly revision: number;
  /** ISO times. */
  readonly sentAt: string;
  answeredAt: string | null;
}

export interface InFlight {
  readonly receipt: Receipt;
  /** What is new in the response, by name. */
  readonly sent: ReadonlyMap<string, XdsResource>;
  /** That is all of a set, to someone who had nothing. */
  readonly isWhole: boolean;
  readonly removed: readonly string[];
  /** Names in it that had to be sent again though their version was known. */
  readonly forced: ReadonlySet<string>;
  /** The type's version in the snapshot that it was made from. */
  readonly typeVersion: string;
  /** On the monotonic clock: when the oldest change in it came, and when it was sent. */
  readonly dueAt: number;
  readonly sentAt: number;
}

export interface Answer {
  readonly version: string;
  readonly nonce: string;
  readonly at: string;
}

export interface Refusal {
  readonly version: string;
  readonly message: string;
  /** Not running for it are the revisions above `after`, up to the one that last changed the resource. */
  readonly after: number;
  readonly upTo: number;
  readonly at: string;
}

export interface Subscription {
  readonly type: TypeUrl;
  wildcard: boolean;
  /** Wildcard only because its first request named nothing. */
  legacy: boolean;
  readonly names: Set<string>;
  readonly known: KnownNames;
  /** Names that may be out of step, each with the revision up to which the other side has it. */
  readonly dirty: Map<string, number>;
  /** Everything is out of step, since it has nothing yet: the revision up to which it was not. */
  allSince: number | undefined;
  /** Names to send again though their version is known. */
  readonly forced: Set<string>;
  /** By name: the version that was refused alone. Not sent again until it changes. */
  readonly refused: Map<string, Refusal>;
  /** Parts of a refused response, to be sent one after another until the bad ones stand alone. */
  readonly parts: (readonly string[])[];
  readonly receipts: Map<string, Receipt>;
  /** Of the response that brought everything: of names without one of their own. */
  wholeReceipt: Receipt | undefined;
  /** State of the world: the names of the last request. */
  lastNames: readonly string[];
  inFlight: InFlight | undefined;
  /** The last nonce that was sent, also after its ACK. */
  nonce: string;
  answered: boolean;
  /** An answer is due though it may be empty. */
  owed: boolean;
  /** The other side had this type before this stream. */
  resumed: boolean;
  sentVersion: string;
  ackedVersion: string;
  lastNack: { readonly version: string; readonly message: string; readonly at: string } | undefined;
  /** The last verdicts, also after they no longer hold. */
  lastAnswers: { ack: Answer | null; nack: (Answer & { readonly message: string }) | null };
  /** Monotonic: since when something is due, and when resources with a lifetime are to be confirmed. */
  dueAt: number | undefined;
  heartbeatAt: number | undefined;
}

export function newSubscription(type: TypeUrl): Subscription {
  return {
    type,
    wildcard: false,
    legacy: false,
    names: new Set(),
    known: new KnownNames(),
    allSince: undefined,
    dirty: new Map(),
    forced: new Set(),
    refused: new Map(),
    parts: [],
    receipts: new Map(),
    wholeReceipt: undefined,
    lastNames: [],
    inFlight: undefined,
    nonce: '',
    answered: false,
    owed: false,
    resumed: false,
    sentVersion: '',
    ackedVersion: '',
    lastNack: undefined,
    lastAnswers: { ack: null, nack: null },
    dueAt: undefined,
    heartbeatAt: undefined,
  };
}

/** Whether a name is wanted at all. */
export function wants(subscription: Subscription, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

export function wantsAll({ wildcard, names }: Subscription, of: ReadonlyMap<string, unknown>): boolean {
  if (wildcard) return true;
  for (const name of of.keys()) if (!names.has(name)) return false;
  return true;
}

/** The other side drops the name: nothing of it is of interest any more. */
export function forget(subscription: Subscription, name: string): void {
  subscription.known.delete(name);
  subscription.dirty.delete(name);
  subscription.forced.delete(name);
  subscription.refused.delete(name);
  subscription.receipts.delete(name);
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

export function isForced({ forced, inFlight }: Subscription, name: string): boolean {
  return forced.has(name) || inFlight?.forced.has(name) === true;
}

/** The other side is about to have something else of the name than what is known. */
export function isOnItsWay({ inFlight }: Subscription, name: string): boolean {
  return inFlight !== undefined && (inFlight.sent.has(name) || inFlight.removed.includes(name));
}
