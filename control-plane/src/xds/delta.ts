/** The incremental variant. https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds */
import type { XdsResource } from './snapshot.ts';
import { ABSENT, begin, isDue, subscribe, wantedResources, wants, type Subscription } from './subscription.ts';
import type { Content, Variant } from './variant.ts';

function unsubscribe(subscription: Subscription, names: readonly string[]): void {
  for (const name of names) {
    if (name === '*') {
      subscription.wildcard = false;
      subscription.legacy = false;
      for (const known of [...subscription.known.keys()])
        if (!subscription.names.has(known)) subscription.known.delete(known);
      continue;
    }
    const had = subscription.names.delete(name);
    // Under a wildcard the client has dropped what it may still want: it is sent again, or told to be gone.
    if (subscription.wildcard && had) {
      subscription.forced.add(name);
      continue;
    }
    subscription.known.delete(name);
    subscription.forced.delete(name);
  }
}

export const delta: Variant = {
  name: 'delta',
  first(subscription, request) {
    begin(subscription, request.names);
    subscribe(subscription, request.names);
    for (const [name, version] of Object.entries(request.initialVersions ?? {})) {
      subscription.known.set(name, version);
    }
  },
  change(subscription, request) {
    // A subscription does not depend on the nonce: it is applied whatever the request acknowledges.
    unsubscribe(subscription, request.unsubscribe ?? []);
    subscribe(subscription, request.names);
    // Asking again for a name that is held must be answered again.
    for (const name of request.names) if (name !== '*') subscription.forced.add(name);
  },
  content(subscription, set, hold): Content | undefined {
    const due: XdsResource[] = [];
    for (const resource of wantedResources(subscription, set)) if (isDue(subscription, resource)) due.push(resource);
    const gone = [...subscription.known]
      .filter(
        ([name, version]) =>
          version !== ABSENT && !set.resources.has(name) && (wants(subscription, name) || subscription.wildcard),
      )
      .map(([name]) => name);
    const missing = [...new Set([...subscription.names, ...subscription.forced])].filter(
      (name) => !set.resources.has(name) && (!subscription.known.has(name) || subscription.forced.has(name)),
    );
    const removed = hold
      ? missing.filter((name) => !subscription.known.has(name))
      : [...new Set([...gone, ...missing])];
    const mustAnswer = !subscription.answered && subscription.wildcard;
    if (due.length === 0 && removed.length === 0 && !mustAnswer) return undefined;
    return { resources: due, removed: removed.sort() };
  },
};
