/** What an ACK and a NACK change in what is known of the other side. */
import { split } from './isolate.ts';
import type { TypeSet } from './snapshot.ts';
import { spread } from './due.ts';
import { ABSENT } from './known.ts';
import { wants, wantsAll, type InFlight, type Subscription } from './subscription.ts';

function removalDone(subscription: Subscription, { removed }: InFlight): void {
  for (const name of removed) {
    subscription.refused.delete(name);
    if (subscription.names.has(name)) subscription.known.set(name, ABSENT);
    else subscription.known.delete(name);
  }
}

export function accept(subscription: Subscription, flight: InFlight): void {
  if (flight.isWhole) subscription.allSince = undefined;
  if (flight.isWhole && wantsAll(subscription, flight.sent)) subscription.known.hasAll(flight.sent);
  else
    for (const [name, resource] of flight.sent)
      if (wants(subscription, name)) subscription.known.set(name, { version: resource.version, resource });
  if (subscription.refused.size > 0) for (const name of flight.sent.keys()) subscription.refused.delete(name);
  subscription.ackedVersion = flight.typeVersion;
  removalDone(subscription, flight);
  if (subscription.refused.size === 0 && subscription.parts.length === 0) subscription.lastNack = undefined;
  // Everything up to the response's revision is there; what changed since is still due.
  for (const [name, since] of subscription.dirty)
    if (flight.sent.has(name) || flight.removed.includes(name))
      subscription.dirty.set(name, Math.max(since, flight.receipt.revision));
}

/** `changedBy`: the revision that last changed a resource. Returns the names of which one or more was refused. */
export function refuse(
  subscription: Subscription,
  flight: InFlight,
  message: string,
  at: string,
  set: TypeSet,
  changedBy: (name: string) => number | undefined,
): readonly string[] {
  const names = [...flight.sent.keys()];
  spread(subscription, set);
  for (const name of flight.forced) subscription.forced.add(name);
  // Sending a removal again and again would change nothing.
  if (names.length === 0) removalDone(subscription, flight);
  subscription.lastNack = { version: flight.typeVersion, message, at };
  if (names.length > 1) {
    subscription.parts.unshift(...split(names, message));
    for (const name of names)
      subscription.known.set(name, { version: '', ...subscription.known.get(name), isUncertain: true });
    return names;
  }
  for (const [name, { version }] of flight.sent) {
    subscription.forced.delete(name);
    if (set.resources.get(name)?.version !== version) {
      // Refused in vain: it is to have something else by now.
      if (subscription.refused.size === 0 && subscription.parts.length === 0) subscription.lastNack = undefined;
      continue;
    }
    const upTo = changedBy(name) ?? flight.receipt.revision;
    const since = subscription.dirty.get(name) ?? 0;
    const after = since > 0 ? Math.min(since, upTo) : upTo - 1;
    subscription.refused.set(name, { version, message, at, after, upTo });
  }
  return names;
}
