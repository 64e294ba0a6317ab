/**
 * Make before break, by ACKs: listeners and routes wait until the clusters and endpoints that they may lead to are there, and
 * clusters go only when no route leads to them any more. Each wait has a limit, so that an Envoy that stays behind is told of the rest all
 * the same; only where it refused the routes, and so runs the old ones, the old clusters stay as long as it does.
 */
import { setOf, type Snapshot, type TypeUrl } from './snapshot.ts';
import { stepOf } from './step.ts';
import { isForced, isOnItsWay, type Subscription } from './subscription.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE, shortName } from './types.ts';
import type { Variant } from './variant.ts';

export interface Order {
  /** Why what is due of this type must not be sent yet; undefined: it may. */
  whySendWaits(subscription: Subscription, snapshot: Snapshot): string | undefined;
  /** Why its first answer waits, whatever is in it. */
  whyAnswerWaits(subscription: Subscription): string | undefined;
  whyRemovalWaits(subscription: Subscription, snapshot: Snapshot): string | undefined;
  /** Waits for a reason that is reported elsewhere: it does not keep a revision from being settled. */
  isRemovalKept(type: TypeUrl): boolean;
  /** Whether the wait of a removal has a limit. */
  isRemovalTimed(type: TypeUrl): boolean;
}

/** `awaited`: endpoints of a cluster that was sent, which are not asked for yet. */
export function createOrder(
  variant: Variant,
  subscriptions: ReadonlyMap<TypeUrl, Subscription>,
  awaited: () => string | undefined,
  isAggregated: boolean,
): Order {
  /** The first dirty name of a type for which `test` holds. */
  function pending(
    type: TypeUrl,
    snapshot: Snapshot,
    step: 'send' | 'remove',
    test: (subscription: Subscription, name: string) => boolean = () => true,
  ): string | undefined {
    const subscription = subscriptions.get(type);
    if (subscription === undefined) return undefined;
    const set = setOf(snapshot, type);
    if (subscription.allSince !== undefined && step === 'send')
      for (const name of set.resources.keys()) if (test(subscription, name)) return name;
    for (const name of subscription.dirty.keys()) {
      const due = stepOf(variant, subscription, set, name);
      // What it is to have may be what it has now, but not what it will have once it took what is on its way.
      const returns = due === 'none' && step === 'send' && set.resources.has(name) && isOnItsWay(subscription, name);
      if ((due === step || returns) && test(subscription, name)) return name;
    }
    return undefined;
  }
  const waitFor = (type: TypeUrl, name: string | undefined): string | undefined =>
    name === undefined ? undefined : `waits for the ACK of ${shortName(type)} ${name}`;

  // New endpoints of a cluster that Envoy has need not be awaited: only those without which a cluster does not come up.
  const bringsUp = (subscription: Subscription, name: string): boolean =>
    (subscription.known.get(name)?.version ?? '') === '' ||
    isForced(subscription, name) ||
    subscription.inFlight?.removed.includes(name) === true;

  const refuses = (type: TypeUrl): boolean => {
    const subscription = subscriptions.get(type);
    return subscription !== undefined && (subscription.refused.size > 0 || subscription.parts.length > 0);
  };

  return {
    whySendWaits(subscription, snapshot) {
      const { type } = subscription;
      if (type !== LISTENER && type !== ROUTE) return undefined;
      // An Envoy that has nothing yet is answered as soon as it asks: at its start it keeps the order itself.
      if (!subscription.answered && !subscription.resumed) return undefined;
      return (
        waitFor(CLUSTER, pending(CLUSTER, snapshot, 'send')) ??
        waitFor(ENDPOINT, awaited() ?? pending(ENDPOINT, snapshot, 'send', bringsUp))
      );
    },
    whyAnswerWaits({ type, resumed, answered, wildcard }) {
      if (type !== CLUSTER || variant.name !== 'sotw' || !isAggregated || !resumed || answered || !wildcard)
        return undefined;
      // What it has is told by the endpoints that it asks for: the routes of before may lead there.
      const isAsking = [ENDPOINT, LISTENER, ROUTE].some((one) => subscriptions.has(one));
      return isAsking ? undefined : 'waits until eds is asked for';
    },
    whyRemovalWaits({ type, resumed }, snapshot) {
      const listeners = (): string | undefined => waitFor(LISTENER, pending(LISTENER, snapshot, 'send'));
      if (type === ROUTE) return listeners();
      if (type === CLUSTER) {
        if (this.isRemovalKept(type)) return 'is kept: the listener or the routes that no longer use it are refused';
        // After a reconnect the routes of before lead to it for as long as they are not asked for.
        if (resumed && !subscriptions.has(ROUTE) && setOf(snapshot, ROUTE).resources.size > 0)
          return 'waits until rds is asked for';
        return listeners() ?? waitFor(ROUTE, pending(ROUTE, snapshot, 'send'));
      }
      // The client drops the endpoints of a cluster that has gone by itself.
      if (type === ENDPOINT) return waitFor(CLUSTER, pending(CLUSTER, snapshot, 'remove'));
      return undefined;
    },
    // Endpoints that nobody uses do no harm; taken from a cluster that is still there they would.
    isRemovalTimed(type) {
      return type !== ENDPOINT && !this.isRemovalKept(type);
    },
    isRemovalKept: (type) => (type === CLUSTER || type === ENDPOINT) && (refuses(LISTENER) || refuses(ROUTE)),
  };
}
