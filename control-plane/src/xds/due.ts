/**
 * Which names of a subscription may be out of step, and what is to be done about them. They are known one by one, so that a change of one resource costs
 * one resource; only while the other side has nothing yet they are all at once, without a list.
 */
import type { Content, Variant } from './variant.ts';
import { wholeOf, type TypeSet, type XdsResource } from './snapshot.ts';
import { stepOf } from './step.ts';
import { wants, wantsAll, type Subscription } from './subscription.ts';

/** The name may be out of step; `since` is the revision up to which it was not. */
export function touch(subscription: Subscription, name: string, since: number, at: number): void {
  if (subscription.dirty.has(name)) return;
  subscription.dirty.set(name, subscription.refused.get(name)?.after ?? since);
  subscription.dueAt ??= at;
}

/** It wants just what is there, and nothing is known of it. */
function isWhole(subscription: Subscription, { resources }: TypeSet): boolean {
  const { names, wildcard, known, forced, refused, parts, inFlight } = subscription;
  if (resources.size === 0 || !known.isEmpty() || inFlight !== undefined) return false;
  if (forced.size > 0 || refused.size > 0 || parts.length > 0) return false;
  if (!wildcard && names.size !== resources.size) return false;
  for (const name of names) if (!resources.has(name)) return false;
  return true;
}

/** At its first request: all that it wants. */
export function touchAll(
  subscription: Subscription,
  asked: Iterable<string>,
  set: TypeSet,
  since: number,
  at: number,
): void {
  if (isWhole(subscription, set)) {
    subscription.allSince = since;
    subscription.dueAt ??= at;
    return;
  }
  for (const name of asked) touch(subscription, name, since, at);
  if (subscription.wildcard) for (const name of set.resources.keys()) touch(subscription, name, since, at);
}

/** From all at once to one by one. */
export function spread(subscription: Subscription, set: TypeSet): void {
  const { allSince, dirty, names, wildcard } = subscription;
  if (allSince === undefined) return;
  subscription.allSince = undefined;
  for (const list of wildcard ? [names, set.resources.keys()] : [names])
    for (const name of list) dirty.set(name, Math.min(dirty.get(name) ?? allSince, allSince));
}

export interface Due extends Content {
  /** All of the set. */
  readonly isWhole: boolean;
}

export function dueOf(variant: Variant, subscription: Subscription, set: TypeSet): Due {
  if (subscription.allSince !== undefined) {
    if (isWhole(subscription, set)) return { resources: wholeOf(set), removed: [], isWhole: true };
    spread(subscription, set);
  }
  const due = { resources: [] as XdsResource[], removed: [] as string[], isWhole: false };
  for (const name of subscription.dirty.keys()) {
    const step = stepOf(variant, subscription, set, name);
    const resource = set.resources.get(name);
    if (step === 'none') subscription.dirty.delete(name);
    else if (step === 'remove') due.removed.push(name);
    else if (resource !== undefined) due.resources.push(resource);
  }
  return due;
}

/** Of what is due, the next part of a refused response, if there is one to take apart. */
export function narrowed(subscription: Subscription, content: Due): Due {
  while (subscription.parts.length > 0) {
    const part = new Set(subscription.parts.shift());
    const resources = content.resources.filter((resource) => part.has(resource.name));
    if (resources.length > 0) return { resources, removed: [], isWhole: false };
  }
  return content;
}

/** Nothing is due or on its way: all that it wants of the set is there. */
export function shareWhatIsThere(subscription: Subscription, set: TypeSet): void {
  const { known, dirty, allSince, inFlight, refused, parts, forced } = subscription;
  if (!known.differsMuch() || dirty.size > 0 || allSince !== undefined || inFlight !== undefined) return;
  if (refused.size > 0 || parts.length > 0 || forced.size > 0) return;
  if (wantsAll(subscription, set.resources)) known.hasAll(set.resources);
}

export const isWanted = (subscription: Subscription, name: string): boolean =>
  wants(subscription, name) || subscription.known.has(name);
