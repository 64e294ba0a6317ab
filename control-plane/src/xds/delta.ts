/** The incremental variant. https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds */
import { ABSENT } from './known.ts';
import { forget, isForced, wants, type Subscription } from './subscription.ts';
import { allowsWildcard, isNeverRemoved } from './types.ts';
import type { Variant } from './variant.ts';

const WILDCARD = '*';

/** Returns names to look at. */
function subscribe(subscription: Subscription, names: readonly string[]): string[] {
  const concrete = names.filter((name) => name !== WILDCARD);
  for (const name of concrete) subscription.names.add(name);
  if (concrete.length < names.length) {
    subscription.legacy = false;
    if (!subscription.wildcard) subscription.owed = true;
    subscription.wildcard = true;
  }
  return concrete;
}

function unsubscribe(subscription: Subscription, names: readonly string[]): string[] {
  const again: string[] = [];
  for (const name of names) {
    if (name === WILDCARD) {
      subscription.wildcard = false;
      subscription.legacy = false;
      for (const known of [...subscription.known.keys()])
        if (!subscription.names.has(known)) forget(subscription, known);
      continue;
    }
    const had = subscription.names.delete(name);
    if (!subscription.wildcard) forget(subscription, name);
    // Under a wildcard the client has dropped what it may still want: it is sent again, or told to be gone.
    else if (had) {
      subscription.forced.add(name);
      again.push(name);
    }
  }
  return again;
}

export const delta: Variant = {
  name: 'delta',
  first(subscription, request) {
    if (request.names.length === 0 && allowsWildcard(subscription.type)) {
      subscription.wildcard = true;
      subscription.legacy = true;
      subscription.owed = true;
    }
    const names = subscribe(subscription, request.names);
    const initial = Object.entries(request.initialVersions ?? {});
    for (const [name, version] of initial) if (wants(subscription, name)) subscription.known.set(name, { version });
    subscription.resumed = initial.length > 0;
    return [...names, ...subscription.known.keys()];
  },
  change(subscription, request, set) {
    // A subscription does not depend on the nonce: it is applied whatever the request acknowledges.
    const was = subscription.wildcard;
    const again = unsubscribe(subscription, request.unsubscribe ?? []);
    const names = subscribe(subscription, request.names);
    // Asking again for a name that is held must be answered again.
    for (const name of names) subscription.forced.add(name);
    return [...again, ...names, ...(subscription.wildcard && !was ? set.resources.keys() : [])];
  },
  tellsRemoval: (type) => !isNeverRemoved(type),
  tellsAbsence: (subscription, name) =>
    isForced(subscription, name) || (subscription.names.has(name) && subscription.known.get(name) !== ABSENT),
  assemble: (_subscription, _set, { resources }) => resources,
};
