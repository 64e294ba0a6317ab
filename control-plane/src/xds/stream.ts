/**
 * One Envoy's stream as a state machine free of gRPC: requests and snapshots in, responses and notices out. At most one response of
 * a type is on its way; what changes meanwhile is merged into the next. What is due is known by name, so that a change of one
 * resource costs one resource, however many there are.
 */
import { accept, refuse } from './answer.ts';
import { dueOf, isWanted, narrowed, shareWhatIsThere, touch, touchAll, type Due } from './due.ts';
import type { Notice, Output, RefusedResource, Send } from './events.ts';
import { createOrder } from './order.ts';
import { differenceOf, setOf, type Difference, type Snapshot, type TypeUrl, type XdsResource } from './snapshot.ts';
import type { ResourceSync, SubscriptionState, TypeSync } from './status.ts';
import { ABSENT } from './known.ts';
import { stepOf } from './step.ts';
import { isOnItsWay, newSubscription, wants, type InFlight, type Receipt, type Subscription } from './subscription.ts';
import { outlineOf, resourcesOf, syncOf } from './sync.ts';
import { CLUSTER, ENDPOINT, inOrder, shortName } from './types.ts';
import type { Variant, XdsRequest } from './variant.ts';
import { createWaits } from './waits.ts';

export interface Stream {
  request(request: XdsRequest): Output;
  /** `difference` is that to the snapshot before, where the caller has it already. */
  snapshot(snapshot: Snapshot, difference?: Difference): Output;
  /** While the other side does not read, nothing is sent: it is merged. */
  writable(is: boolean): Output;
  /** Time has passed; due at `deadline()`, in milliseconds of the monotonic clock. */
  tick(): Output;
  deadline(): number | undefined;
  /** Why the other side is behind, a sentence each; empty: it is not. */
  behind(): readonly string[];
  /** Types that were asked for. */
  asked(): Iterable<TypeUrl>;
  isIdle(): boolean;
  /** The greatest revision of which everything asked for here was acknowledged or refused. */
  settledRevision(): number;
  /** The version that the other side has for certain; undefined: none, or another is on its way. */
  runs(type: TypeUrl, name: string): string | undefined;
  refusals(): readonly RefusedResource[];
  types(): Readonly<Record<string, TypeSync>>;
  resources(type: TypeUrl): readonly ResourceSync[];
  subscriptions(): readonly SubscriptionState[];
}

export interface StreamOptions {
  readonly variant: Variant;
  /** Distinguishes the nonces of this stream from those of an earlier one. */
  readonly noncePrefix: string;
  /** Milliseconds of the calendar; only to be shown. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
  /** How long a type waits for the ACKs of another, and an answer may be out, before that is called late. */
  readonly waitLimitMs?: number;
  /** The revision that last changed a resource. */
  readonly changedBy?: (type: TypeUrl, name: string) => number | undefined;
  /** The cluster of these endpoints that was there lately, and is not any more. */
  readonly lately?: (endpoints: string) => XdsResource | undefined;
  /** All types come on this stream. */
  readonly isAggregated?: boolean;
  /** The name of a cluster's endpoints. */
  readonly endpointsOf?: (cluster: XdsResource) => string;
}

const NOTHING: Output = { sends: [], notices: [] };

export function createStream(options: StreamOptions): Stream {
  const { variant, noncePrefix, now, clock = () => 0, waitLimitMs = 10_000 } = options;
  const changedBy = options.changedBy ?? (() => undefined);
  const endpointsOf = options.endpointsOf ?? ((cluster: XdsResource) => cluster.name);
  const subscriptions = new Map<TypeUrl, Subscription>();
  const order = createOrder(variant, subscriptions, () => firstAwaited(), options.isAggregated === true);
  let current: Snapshot | undefined;
  /** Endpoints of clusters that were replaced before endpoints were asked for. */
  const renewals = new Set<string>();
  /** Endpoints that clusters on their way will ask for, by name, with the cluster: routes wait for these too. */
  const awaited = new Map<string, string>();
  const waits = createWaits(waitLimitMs, clock);
  let isWritable = true;
  let nonces = 0;
  let settled = 0;

  const isoNow = (): string => new Date(now()).toISOString();

  function newResponse(subscription: Subscription, snapshot: Snapshot): { receipt: Receipt; typeVersion: string } {
    nonces += 1;
    const nonce = `${noncePrefix}${nonces}`;
    const typeVersion = setOf(snapshot, subscription.type).version;
    subscription.nonce = nonce;
    subscription.answered = true;
    subscription.sentVersion = typeVersion;
    return { receipt: { nonce, revision: snapshot.revision, sentAt: isoNow(), answeredAt: null }, typeVersion };
  }

  function respond(subscription: Subscription, content: Due, snapshot: Snapshot): Send {
    const { type, forced } = subscription;
    const resources = variant.assemble(subscription, setOf(snapshot, type), content);
    const { receipt, typeVersion } = newResponse(subscription, snapshot);
    const sentAt = clock();
    const dueAt = subscription.dueAt ?? sentAt;
    const { isWhole } = content;
    const names = isWhole ? [] : [...content.resources.map(({ name }) => name), ...content.removed];
    subscription.inFlight = {
      receipt,
      isWhole,
      sent: isWhole
        ? setOf(snapshot, type).resources
        : new Map(content.resources.map((resource) => [resource.name, resource])),
      removed: content.removed,
      forced: new Set(names.filter((name) => forced.has(name))),
      typeVersion,
      dueAt,
      sentAt,
    };
    subscription.owed = false;
    subscription.dueAt = undefined;
    if (isWhole) {
      subscription.dirty.clear();
      subscription.receipts.clear();
      subscription.wholeReceipt = receipt;
    }
    for (const name of names) {
      forced.delete(name);
      subscription.receipts.set(name, receipt);
    }
    if (type === CLUSTER) renewEndpoints(subscription, content.resources, snapshot);
    const { nonce } = receipt;
    return { type, nonce, version: typeVersion, resources, removed: content.removed, queuedMs: sentAt - dueAt };
  }

  /** A cluster that is replaced waits for endpoints anew, also when they did not change: https://github.com/envoyproxy/envoy/issues/13009 */
  function renewEndpoints(clusters: Subscription, sent: readonly XdsResource[], snapshot: Snapshot): void {
    const endpoints = subscriptions.get(ENDPOINT);
    for (const cluster of sent) {
      const name = endpointsOf(cluster);
      // On a reconnect clusters are asked for first: what they bring is remembered until endpoints are.
      if (endpoints === undefined && clusters.known.has(cluster.name)) renewals.add(name);
      if (endpoints === undefined || !wants(endpoints, name)) awaited.set(name, cluster.name);
      else if (wants(endpoints, name) && (endpoints.known.has(name) || endpoints.inFlight?.sent.has(name) === true)) {
        endpoints.forced.add(name);
        touch(endpoints, name, Math.min(settled, snapshot.revision), clock());
      }
    }
  }

  function firstAwaited(): string | undefined {
    const endpoints = subscriptions.get(ENDPOINT);
    for (const [name, cluster] of awaited) {
      const isNeeded = setOf(current, ENDPOINT).resources.has(name) && setOf(current, CLUSTER).resources.has(cluster);
      const isRefused = subscriptions.get(CLUSTER)?.refused.has(cluster) === true;
      if (isNeeded && !isRefused && (endpoints === undefined || !wants(endpoints, name))) return name;
      awaited.delete(name);
    }
    return undefined;
  }

  function heartbeat(subscription: Subscription, snapshot: Snapshot): Send | undefined {
    if (subscription.heartbeatAt === undefined || clock() < subscription.heartbeatAt) return undefined;
    const living = [...subscription.known].flatMap(([, { resource }]): XdsResource[] =>
      resource?.ttlMs === undefined ? [] : [resource],
    );
    subscription.heartbeatAt = nextHeartbeat(living);
    if (living.length === 0) return undefined;
    const { receipt, typeVersion } = newResponse(subscription, snapshot);
    const at = clock();
    const flight: InFlight = {
      receipt,
      isWhole: false,
      sent: new Map<string, XdsResource>(),
      removed: [],
      forced: new Set<string>(),
      typeVersion,
      dueAt: at,
      sentAt: at,
    };
    subscription.inFlight = flight;
    const { nonce } = receipt;
    return {
      type: subscription.type,
      nonce,
      version: typeVersion,
      resources: living,
      removed: [],
      heartbeat: true,
      queuedMs: 0,
    };
  }

  function nextHeartbeat(resources: Iterable<XdsResource>): number | undefined {
    let shortest = Infinity;
    for (const { ttlMs = Infinity } of resources) shortest = Math.min(shortest, ttlMs);
    return shortest === Infinity ? undefined : clock() + shortest / 2;
  }

  /** Sends whatever is due and not held back, in order. */
  function pump(notices: Notice[] = []): Output {
    const snapshot = current;
    if (snapshot === undefined) return notices.length === 0 ? NOTHING : { sends: [], notices };
    const sends: Send[] = [];
    for (const type of isWritable ? inOrder(subscriptions.keys()) : []) {
      const subscription = subscriptions.get(type);
      if (subscription === undefined || subscription.inFlight !== undefined) continue;
      const { resources, removed, isWhole } = dueOf(variant, subscription, setOf(snapshot, type));
      const why =
        order.whyAnswerWaits(subscription) ??
        (resources.length === 0 ? undefined : order.whySendWaits(subscription, snapshot));
      if (waits.holdsBack(type, '', why, true, notices)) continue;
      const whyKept = removed.length === 0 ? undefined : order.whyRemovalWaits(subscription, snapshot);
      const kept = waits.holdsBack(type, ' removal', whyKept, order.isRemovalTimed(type), notices);
      const content = narrowed(subscription, { resources, removed: kept ? [] : removed, isWhole });
      if (content.resources.length > 0 || content.removed.length > 0 || subscription.owed)
        sends.push(respond(subscription, content, snapshot));
      else {
        const beat = heartbeat(subscription, snapshot);
        if (beat !== undefined) sends.push(beat);
      }
    }
    settle(snapshot);
    return { sends, notices };
  }

  function settle(snapshot: Snapshot): void {
    let least = snapshot.revision;
    for (const subscription of subscriptions.values()) {
      const set = setOf(snapshot, subscription.type);
      const keepsRemovals = order.isRemovalKept(subscription.type);
      let inStep = subscription.inFlight === undefined;
      for (const [name, since] of subscription.dirty) {
        const step = stepOf(variant, subscription, set, name);
        if (step === 'none' && !isOnItsWay(subscription, name)) continue;
        inStep = false;
        if (step !== 'remove' || !keepsRemovals) least = Math.min(least, since);
      }
      if (subscription.allSince !== undefined) {
        inStep = false;
        least = Math.min(least, subscription.allSince);
      }
      shareWhatIsThere(subscription, set);
      if (inStep && !subscription.owed && subscription.refused.size === 0) subscription.ackedVersion = set.version;
    }
    settled = subscriptions.size === 0 ? 0 : least;
  }

  /** The verdict on a response, if the request is one. */
  function verdict(subscription: Subscription, request: XdsRequest): Notice | undefined {
    if (request.nonce === '') return undefined;
    const { type, inFlight: flight } = subscription;
    if (request.nonce !== subscription.nonce) return { kind: 'stale', type };
    if (flight === undefined) return undefined;
    const told = {
      type,
      version: flight.typeVersion,
      ms: clock() - flight.sentAt,
      convergenceMs: clock() - flight.dueAt,
    };
    const at = isoNow();
    flight.receipt.answeredAt = at;
    subscription.inFlight = undefined;
    const answer = { version: flight.typeVersion, nonce: request.nonce, at };
    if (request.error !== undefined) {
      subscription.lastAnswers.nack = { ...answer, message: request.error };
      const set = setOf(current, type);
      const names = refuse(subscription, flight, request.error, at, set, (name) => changedBy(type, name));
      return { kind: 'nack', message: request.error, names, ...told };
    }
    subscription.lastAnswers.ack = answer;
    accept(subscription, flight);
    subscription.heartbeatAt = nextHeartbeat(flight.sent.values()) ?? subscription.heartbeatAt;
    return { kind: 'ack', ...told };
  }

  function begin(request: XdsRequest): void {
    const subscription = newSubscription(request.type);
    subscriptions.set(request.type, subscription);
    touchAll(subscription, variant.first(subscription, request), setOf(current, request.type), settled, clock());
    if (request.type !== ENDPOINT) return;
    for (const name of renewals) {
      if (!wants(subscription, name)) continue;
      subscription.forced.add(name);
      touch(subscription, name, settled, clock());
    }
    renewals.clear();
    recall(subscription);
  }

  /**
   * State of the world, after a reconnect: the endpoints that it asks for tell which clusters it has. Those that have gone meanwhile go as they would have
   * if it had been there: after the routes.
   */
  function recall({ names }: Subscription): void {
    const clusters = subscriptions.get(CLUSTER);
    if (variant.name !== 'sotw' || clusters?.resumed !== true || clusters.answered) return;
    for (const name of names) {
      const cluster = options.lately?.(name);
      if (cluster === undefined || setOf(current, CLUSTER).resources.has(cluster.name)) continue;
      clusters.known.set(cluster.name, { version: cluster.version, resource: cluster });
      touch(clusters, cluster.name, settled, clock());
    }
  }

  function behind(): string[] {
    const limit = clock() - waitLimitMs;
    const unanswered = [...subscriptions.values()].flatMap(({ type, inFlight }) =>
      inFlight === undefined || inFlight.sentAt > limit
        ? []
        : [`${shortName(type)}: no answer to what was sent at ${inFlight.receipt.sentAt}`],
    );
    return [...unanswered, ...waits.messages()];
  }

  return {
    request(request) {
      const notices: Notice[] = [];
      const subscription = subscriptions.get(request.type);
      if (subscription === undefined) {
        begin(request);
        return pump();
      }
      const notice = verdict(subscription, request);
      if (notice !== undefined) notices.push(notice);
      const changed = variant.change(subscription, request, setOf(current, request.type), notice?.kind !== 'stale');
      for (const name of changed) touch(subscription, name, settled, clock());
      return pump(notices);
    },
    snapshot(next, difference) {
      const before = current;
      current = next;
      if (subscriptions.size === 0) return NOTHING;
      for (const [type, names] of difference ?? differenceOf(before, next)) {
        const subscription = subscriptions.get(type);
        if (subscription === undefined) continue;
        const { resources } = setOf(next, type);
        for (const name of names) {
          if (!isWanted(subscription, name)) continue;
          touch(subscription, name, before?.revision ?? 0, clock());
          if (subscription.refused.get(name)?.version !== resources.get(name)?.version)
            subscription.refused.delete(name);
        }
        if (subscription.refused.size === 0 && subscription.parts.length === 0) subscription.lastNack = undefined;
      }
      return pump();
    },
    writable(is) {
      isWritable = is;
      return is ? pump() : NOTHING;
    },
    tick: () => pump(),
    deadline() {
      const times = [
        ...waits.deadlines(),
        ...[...subscriptions.values()].flatMap(({ heartbeatAt, inFlight }) =>
          heartbeatAt === undefined || inFlight !== undefined ? [] : [heartbeatAt],
        ),
      ];
      return times.length === 0 || !isWritable ? undefined : Math.min(...times);
    },
    behind,
    asked: () => subscriptions.keys(),
    isIdle: () => [...subscriptions.values()].every(({ inFlight }) => inFlight === undefined),
    settledRevision: () => settled,
    runs(type, name) {
      const subscription = subscriptions.get(type);
      const known = subscription?.known.get(name);
      if (subscription === undefined || known === undefined || known === ABSENT) return undefined;
      return known.isUncertain === true || isOnItsWay(subscription, name) ? undefined : known.version;
    },
    refusals: () =>
      [...subscriptions.values()].flatMap(({ type, refused }) =>
        [...refused].map(([name, { message, after, upTo }]) => ({ type, name, message, after, upTo })),
      ),
    types: () =>
      Object.fromEntries(
        inOrder(subscriptions.keys()).flatMap((type) => {
          const subscription = subscriptions.get(type);
          return subscription === undefined ? [] : [[shortName(type), syncOf(subscription)]];
        }),
      ),
    subscriptions: () => [...subscriptions.values()].map(outlineOf),
    resources(type) {
      const subscription = subscriptions.get(type);
      return subscription === undefined ? [] : resourcesOf(subscription, setOf(current, type));
    },
  };
}
