/**
 * One Envoy's stream as a state machine free of gRPC: requests and snapshots in, responses and notices out. At most one response of
 * a type is on its way; what changes meanwhile is merged into the next. Order is make-before-break: routes wait until the
 * clusters and endpoints of their snapshot are acknowledged, removals of clusters until no route leads to them any more.
 */
import type { Snapshot, TypeUrl, XdsResource } from './snapshot.ts';
import type { TypeSync } from './status.ts';
import { ABSENT, newSubscription, setOf, wants, type InFlight, type Subscription } from './subscription.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE, inOrder, shortName } from './types.ts';
import type { Content, Variant, XdsRequest } from './variant.ts';

export interface Send {
  readonly type: TypeUrl;
  readonly nonce: string;
  /** The type's version in the snapshot. */
  readonly version: string;
  readonly resources: readonly XdsResource[];
  /** Delta only. */
  readonly removed: readonly string[];
}

export type Notice =
  | { readonly kind: 'ack'; readonly type: TypeUrl; readonly version: string }
  | {
      readonly kind: 'nack';
      readonly type: TypeUrl;
      readonly version: string;
      readonly message: string;
      readonly names: readonly string[];
    }
  | { readonly kind: 'stale'; readonly type: TypeUrl };

export interface Output {
  readonly sends: readonly Send[];
  readonly notices: readonly Notice[];
}

export interface RefusedResource {
  readonly type: TypeUrl;
  readonly name: string;
  readonly message: string;
  readonly revision: number;
}

export interface Stream {
  request(request: XdsRequest): Output;
  snapshot(snapshot: Snapshot): Output;
  /** The revision of the newest snapshot of which everything asked for was acknowledged or refused. */
  settledRevision(): number;
  refusals(): readonly RefusedResource[];
  types(): Readonly<Record<string, TypeSync>>;
}

export interface StreamOptions {
  readonly variant: Variant;
  /** Distinguishes the nonces of this stream from those of an earlier one. */
  readonly noncePrefix: string;
  readonly now: () => number;
}

export function createStream({ variant, noncePrefix, now }: StreamOptions): Stream {
  const subscriptions = new Map<TypeUrl, Subscription>();
  let current: Snapshot | undefined;
  /** Clusters that were replaced before endpoints were asked for. */
  const renewals = new Set<string>();
  let nonces = 0;
  let settled = 0;

  function respond(subscription: Subscription, content: Content, snapshot: Snapshot): Send {
    nonces += 1;
    const nonce = `${noncePrefix}${nonces}`;
    const { version } = setOf(snapshot.types, subscription.type);
    const sent = new Map(content.resources.map((resource) => [resource.name, resource.version]));
    const forced = [...sent.keys()].filter((name) => subscription.forced.has(name));
    subscription.inFlight = {
      nonce,
      sent,
      removed: content.removed,
      forced,
      typeVersion: version,
      revision: snapshot.revision,
    };
    subscription.nonce = nonce;
    subscription.answered = true;
    subscription.sentVersion = version;
    if (subscription.type === CLUSTER) renewEndpoints(subscription, sent);
    for (const name of [...sent.keys(), ...content.removed]) subscription.forced.delete(name);
    return { type: subscription.type, nonce, version, resources: content.resources, removed: content.removed };
  }

  /** A cluster that is replaced waits for endpoints anew, also when they did not change: https://github.com/envoyproxy/envoy/issues/13009 */
  function renewEndpoints(clusters: Subscription, sent: ReadonlyMap<string, string>): void {
    const endpoints = subscriptions.get(ENDPOINT);
    for (const [name, version] of sent) {
      const before = clusters.known.get(name);
      if (before === undefined || before === version) continue;
      // On a reconnect clusters are asked for first: what they bring is remembered until endpoints are.
      if (endpoints === undefined) renewals.add(name);
      else if (wants(endpoints, name)) endpoints.forced.add(name);
    }
  }

  /** Of what is due, the next part of a refused response, if there is one to take apart. */
  function narrowed(subscription: Subscription, content: Content): Content {
    while (subscription.parts.length > 0) {
      const part = new Set(subscription.parts.shift());
      const resources = content.resources.filter((resource) => part.has(resource.name));
      if (resources.length > 0) return { resources, removed: [] };
    }
    return content;
  }

  const isQuiet = (type: TypeUrl): boolean => {
    const subscription = subscriptions.get(type);
    if (subscription === undefined || current === undefined) return true;
    return (
      subscription.inFlight === undefined &&
      variant.content(subscription, setOf(current.types, type), true) === undefined
    );
  };

  /** Sends whatever is due and not held back, in order. */
  function pump(): Send[] {
    const snapshot = current;
    if (snapshot === undefined) return [];
    const sends: Send[] = [];
    for (const type of inOrder(subscriptions.keys())) {
      const subscription = subscriptions.get(type);
      if (subscription === undefined || subscription.inFlight !== undefined) continue;
      const set = setOf(snapshot.types, type);
      // An Envoy that has nothing yet is answered as soon as it asks: at its start it keeps the order itself.
      const waits =
        type === ROUTE &&
        (subscription.answered || subscription.known.size > 0) &&
        !(isQuiet(CLUSTER) && isQuiet(ENDPOINT));
      const hold = (type === CLUSTER || type === ENDPOINT) && !isQuiet(ROUTE);
      const content = waits ? undefined : variant.content(subscription, set, hold);
      if (content !== undefined) sends.push(respond(subscription, narrowed(subscription, content), snapshot));
    }
    settle(snapshot);
    return sends;
  }

  /** At the start Envoy asks for one type after another: before the last of them it runs nothing in full. */
  function hasAskedForAll({ types }: Snapshot): boolean {
    const holds = (type: TypeUrl): boolean => setOf(types, type).resources.size > 0;
    // Asked is enough: after a reconnect there may be nothing to answer.
    const asked = (type: TypeUrl): boolean => subscriptions.has(type);
    const needed = [
      ...(holds(CLUSTER) ? [CLUSTER] : []),
      ...(holds(CLUSTER) && holds(ENDPOINT) ? [ENDPOINT] : []),
      ...(holds(LISTENER) ? [LISTENER] : []),
      ...(holds(LISTENER) && holds(ROUTE) ? [ROUTE] : []),
    ];
    return subscriptions.size > 0 && needed.every(asked);
  }

  function settle(snapshot: Snapshot): void {
    let all = true;
    for (const subscription of subscriptions.values()) {
      const set = setOf(snapshot.types, subscription.type);
      const inSync = subscription.inFlight === undefined && variant.content(subscription, set, false) === undefined;
      if (inSync && subscription.refused.size === 0) subscription.ackedVersion = set.version;
      all &&= inSync;
    }
    if (all && hasAskedForAll(snapshot)) settled = snapshot.revision;
  }

  function forgetRemoved(subscription: Subscription, removed: readonly string[]): void {
    for (const name of removed) {
      subscription.refused.delete(name);
      if (subscription.names.has(name)) subscription.known.set(name, ABSENT);
      else subscription.known.delete(name);
    }
  }

  function accept(subscription: Subscription, flight: InFlight): Notice {
    for (const [name, version] of flight.sent) {
      subscription.known.set(name, version);
      subscription.refused.delete(name);
    }
    forgetRemoved(subscription, flight.removed);
    if (subscription.refused.size === 0) subscription.lastNack = undefined;
    return { kind: 'ack', type: subscription.type, version: flight.typeVersion };
  }

  function refuse(subscription: Subscription, flight: InFlight, message: string): Notice {
    const at = new Date(now()).toISOString();
    const names = [...flight.sent.keys()];
    const refusal = { message, revision: flight.revision, at };
    for (const name of flight.forced) subscription.forced.add(name);
    // Sending a removal again and again would change nothing.
    if (names.length === 0) forgetRemoved(subscription, flight.removed);
    subscription.lastNack = { version: flight.typeVersion, ...refusal };
    if (variant.name === 'delta' && names.length > 1) {
      // The whole response may have been refused for one resource in it: halves are tried until the bad one stands alone.
      const half = Math.ceil(names.length / 2);
      subscription.parts.unshift(names.slice(0, half), names.slice(half));
    } else for (const [name, version] of flight.sent) subscription.refused.set(name, { version, ...refusal });
    return { kind: 'nack', type: subscription.type, version: flight.typeVersion, message, names };
  }

  /** The verdict on a response, if the request is one. */
  function verdict(subscription: Subscription, request: XdsRequest): Notice | undefined {
    if (request.nonce === '') return undefined;
    if (request.nonce !== subscription.nonce) return { kind: 'stale', type: request.type };
    const flight = subscription.inFlight;
    if (flight === undefined) return undefined;
    subscription.inFlight = undefined;
    return request.error === undefined ? accept(subscription, flight) : refuse(subscription, flight, request.error);
  }

  /** Resources that left the snapshot are no longer refused: there is nothing to refuse. */
  function forgetGone(snapshot: Snapshot): void {
    for (const subscription of subscriptions.values()) {
      const { resources } = setOf(snapshot.types, subscription.type);
      for (const name of [...subscription.refused.keys()])
        if (resources.get(name)?.version !== subscription.refused.get(name)?.version) subscription.refused.delete(name);
      if (subscription.refused.size === 0 && subscription.parts.length === 0) subscription.lastNack = undefined;
    }
  }

  return {
    request(request) {
      const notices: Notice[] = [];
      const existing = subscriptions.get(request.type);
      if (existing === undefined) {
        const subscription = newSubscription(request.type);
        subscriptions.set(request.type, subscription);
        variant.first(subscription, request);
        if (request.type === ENDPOINT) {
          for (const name of renewals) if (wants(subscription, name)) subscription.forced.add(name);
          renewals.clear();
        }
      } else {
        const notice = verdict(existing, request);
        if (notice !== undefined) notices.push(notice);
        const set = current === undefined ? setOf(new Map(), request.type) : setOf(current.types, request.type);
        variant.change(existing, request, set, notice?.kind !== 'stale');
      }
      return { sends: pump(), notices };
    },
    snapshot(snapshot) {
      const changed =
        current === undefined ||
        [...snapshot.types].some(([type, set]) => current?.types.get(type)?.version !== set.version);
      current = snapshot;
      if (changed) forgetGone(snapshot);
      return { sends: pump(), notices: [] };
    },
    settledRevision: () => settled,
    refusals: () =>
      [...subscriptions.values()].flatMap((subscription) =>
        [...subscription.refused].map(([name, { message, revision }]) => ({
          type: subscription.type,
          name,
          message,
          revision,
        })),
      ),
    types: () =>
      Object.fromEntries(
        inOrder(subscriptions.keys()).flatMap((type) => {
          const subscription = subscriptions.get(type);
          return subscription === undefined ? [] : [[shortName(type), syncOf(subscription)]];
        }),
      ),
  };
}

function syncOf(subscription: Subscription): TypeSync {
  const { sentVersion: sent, ackedVersion: acked, lastNack } = subscription;
  const state =
    lastNack !== undefined
      ? 'ERROR'
      : !subscription.answered && acked === ''
        ? 'NOT_SENT'
        : subscription.inFlight === undefined
          ? 'SYNCED'
          : 'STALE';
  return {
    state,
    sent,
    acked,
    ...(lastNack === undefined
      ? {}
      : { nack: { message: lastNack.message, version: lastNack.version, at: lastNack.at } }),
  };
}
