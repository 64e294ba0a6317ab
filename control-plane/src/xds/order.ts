/**
 * Make before break, by ACKs: listeners and routes wait until the clusters and endpoints that they may lead to are there, and
 * clusters go only when no route leads to them any more. Each wait has a limit, so that an Envoy that stays behind is told of the rest all
 * the same; only where it refused the routes, and so runs the old ones, the old clusters stay as long as it does.
 */
import { setOf, type Snapshot, type TypeUrl } from './snapshot.ts';
import { isForced, stepOf, type Subscription } from './subscription.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE, shortName } from './types.ts';
import type { Variant } from './variant.ts';

export interface Order {
  /** Why what is due of this type must not be sent yet; undefined: it may. */
  whySendWaits(subscription: Subscription, snapshot: Snapshot): string | undefined;
  whyRemovalWaits(subscription: Subscription, snapshot: Snapshot): string | undefined;
  /** Waits with no limit and for a reason that is reported elsewhere: it does not keep a revision from being settled. */
  isRemovalKept(type: TypeUrl): boolean;
}

export function createOrder(variant: Variant, subscriptions: ReadonlyMap<TypeUrl, Subscription>): Order {
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
    for (const name of subscription.dirty.keys())
      if (stepOf(variant, subscription, set, name) === step && test(subscription, name)) return name;
    return undefined;
  }
  const waitFor = (type: TypeUrl, name: string | undefined): string | undefined =>
    name === undefined ? undefined : `waits for the ACK of ${shortName(type)} ${name}`;

  // New endpoints of a cluster that Envoy has need not be awaited: only those without which a cluster does not come up.
  const bringsUp = (subscription: Subscription, name: string): boolean =>
    !subscription.known.has(name) || isForced(subscription, name);

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
        waitFor(ENDPOINT, pending(ENDPOINT, snapshot, 'send', bringsUp))
      );
    },
    whyRemovalWaits({ type }, snapshot) {
      const listeners = (): string | undefined => waitFor(LISTENER, pending(LISTENER, snapshot, 'send'));
      if (type === ROUTE) return listeners();
      if (type === CLUSTER) {
        if (this.isRemovalKept(type)) return 'is kept: the listener or the routes that no longer use it are refused';
        return listeners() ?? waitFor(ROUTE, pending(ROUTE, snapshot, 'send'));
      }
      // The client drops the endpoints of a cluster that has gone by itself.
      if (type === ENDPOINT) return waitFor(CLUSTER, pending(CLUSTER, snapshot, 'remove'));
      return undefined;
    },
    isRemovalKept: (type) => (type === CLUSTER || type === ENDPOINT) && (refuses(LISTENER) || refuses(ROUTE)),
  };
}
