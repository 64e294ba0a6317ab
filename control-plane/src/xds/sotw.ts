/**
 * The state-of-the-world variant. Clusters and listeners are always sent in full (what is absent is deleted); of other types only
 * what changed, which the protocol allows.
 */
import { wholeOf, type XdsResource } from './snapshot.ts';
import { forget, wantedResources, type Subscription } from './subscription.ts';
import { allowsWildcard, isFullState } from './types.ts';
import type { Variant, XdsRequest } from './variant.ts';

const WILDCARD = '*';

/** All names of a request, as the new set of names. Returns those that were added. */
function replaceNames(subscription: Subscription, request: XdsRequest): string[] {
  const names = new Set(request.names.filter((name) => name !== WILDCARD));
  const added = [...names].filter((name) => !subscription.names.has(name));
  for (const name of [...subscription.names]) {
    if (names.has(name)) continue;
    subscription.names.delete(name);
    if (!subscription.wildcard) forget(subscription, name);
  }
  for (const name of added) {
    if (!subscription.wildcard) subscription.known.delete(name);
    subscription.names.add(name);
  }
  // Of a full set the answer also tells that a name does not exist.
  if (added.length > 0 && isFullState(subscription.type)) subscription.owed = true;
  return added;
}

/** An acknowledgement repeats all names, of which there may be thousands. */
const isSame = (before: readonly string[], now: readonly string[]): boolean =>
  before.length === now.length && before.every((name, index) => name === now[index]);

export const sotw: Variant = {
  name: 'sotw',
  first(subscription, request) {
    const everything = request.names.length === 0 && allowsWildcard(subscription.type);
    subscription.legacy = everything;
    subscription.wildcard = everything || request.names.includes(WILDCARD);
    subscription.owed = subscription.wildcard;
    subscription.resumed = (request.version ?? '') !== '';
    subscription.lastNames = request.names;
    subscription.allSince = undefined;
    return replaceNames(subscription, request);
  },
  change(subscription, request, set, fresh) {
    const { ack, nack } = subscription.lastAnswers;
    // Before its first answer it has no nonce to give: that is no new start.
    if (request.nonce === '' && (ack !== null || nack !== null)) {
      // It starts anew: whatever it had of this stream no longer counts.
      for (const name of [...subscription.known.keys()]) forget(subscription, name);
      subscription.inFlight = undefined;
      subscription.names.clear();
      return [...this.first(subscription, request), ...(subscription.wildcard ? set.resources.keys() : [])];
    }
    // The names of a request that answers an older response are out of date: the next one brings them again.
    if (!fresh || isSame(subscription.lastNames, request.names)) return [];
    subscription.lastNames = request.names;
    const was = subscription.wildcard;
    const had = [...subscription.known.keys()];
    const keepsWildcard = subscription.legacy && request.names.length === 0;
    if (!keepsWildcard) {
      subscription.wildcard = request.names.includes(WILDCARD);
      subscription.legacy = false;
    }
    const added = replaceNames(subscription, request);
    if (was && !subscription.wildcard)
      for (const name of had) if (!subscription.names.has(name)) forget(subscription, name);
    if (was || !subscription.wildcard) return added;
    subscription.owed = true;
    return [...added, ...set.resources.keys()];
  },
  tellsRemoval: isFullState,
  tellsAbsence: () => false,
  assemble(subscription, set, { resources, removed }) {
    if (!isFullState(subscription.type) || subscription.known.isEmpty()) return resources;
    const brought = new Map(resources.map((resource) => [resource.name, resource]));
    const all: XdsResource[] = [];
    let asInSet = subscription.wildcard;
    for (const { name, version } of wantedResources(subscription, set)) {
      // What was refused, or is still to be tried, stands in its last good form.
      const resource = brought.get(name) ?? subscription.known.get(name)?.resource;
      if (resource !== undefined) all.push(resource);
      asInSet &&= resource?.version === version;
    }
    const gone = new Set(removed);
    // What is to go, but not yet, has to be named, or it would be deleted.
    for (const [name, { resource }] of subscription.known)
      if (resource !== undefined && !set.resources.has(name) && !gone.has(name)) all.push(resource);
    return asInSet && all.length === set.resources.size ? wholeOf(set) : all;
  },
};
