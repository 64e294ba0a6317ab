/**
 * The state-of-the-world variant. Clusters and listeners are always sent in full (what is absent is deleted); of other types only
 * what changed, which the protocol allows.
 */
import { begin, isDue, subscribe, wantedResources } from './subscription.ts';
import { allowsWildcard } from './types.ts';
import type { Content, Variant } from './variant.ts';

export const sotw: Variant = {
  name: 'sotw',
  first(subscription, request) {
    begin(subscription, request.names);
    subscribe(subscription, request.names);
  },
  change(subscription, request, _set, fresh) {
    // The names of a request that answers an older response are out of date: the next one brings them again.
    if (!fresh) return;
    const names = new Set(request.names.filter((name) => name !== '*'));
    const keepsWildcard = subscription.legacy && request.names.length === 0;
    if (!keepsWildcard) {
      subscription.wildcard = request.names.includes('*');
      subscription.legacy = false;
    }
    for (const name of [...subscription.names]) {
      if (names.has(name)) continue;
      subscription.names.delete(name);
      if (!subscription.wildcard) subscription.known.delete(name);
    }
    for (const name of names) {
      if (!subscription.names.has(name) && !subscription.wildcard) subscription.known.delete(name);
      subscription.names.add(name);
    }
  },
  content(subscription, set, hold): Content | undefined {
    const wanted = [...wantedResources(subscription, set)];
    const due = wanted.filter((resource) => isDue(subscription, resource));
    if (!allowsWildcard(subscription.type)) return due.length === 0 ? undefined : { resources: due, removed: [] };
    // A whole set was refused: it stays refused until something in it is another.
    const refused = wanted.some((resource) => subscription.refused.get(resource.name)?.version === resource.version);
    const gone = [...subscription.known.keys()].filter((name) => !set.resources.has(name));
    const mustAnswer = !subscription.answered && (subscription.wildcard || wanted.length > 0);
    const changed = due.length > 0 || (gone.length > 0 && !hold);
    if (!mustAnswer && (!changed || (refused && due.length === 0))) return undefined;
    return { resources: wanted, removed: gone };
  },
};
