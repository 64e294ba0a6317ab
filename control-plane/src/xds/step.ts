import { ABSENT } from './known.ts';
import type { TypeSet } from './snapshot.ts';
import { isForced, wants, type Subscription } from './subscription.ts';
import type { Variant } from './variant.ts';

/** What is to be done about one name; `none` when the other side has what it is to have, or has refused it. */
export function stepOf(
  variant: Variant,
  subscription: Subscription,
  set: TypeSet,
  name: string,
): 'send' | 'remove' | 'none' {
  if (!wants(subscription, name)) return 'none';
  const resource = set.resources.get(name);
  const known = subscription.known.get(name);
  if (resource !== undefined) {
    if (subscription.refused.get(name)?.version === resource.version) return 'none';
    const isThere = known?.version === resource.version && known !== ABSENT && known.isUncertain !== true;
    return isThere && !isForced(subscription, name) ? 'none' : 'send';
  }
  if (!variant.tellsRemoval(subscription.type)) {
    subscription.known.delete(name);
    return 'none';
  }
  if (known === ABSENT || known === undefined) return variant.tellsAbsence(subscription, name) ? 'remove' : 'none';
  return 'remove';
}
