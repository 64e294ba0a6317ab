/** Keeps the objects of the state before wherever nothing changed, so that only what changed is drawn anew. Pure. */
import type { InstanceView, LiveState, ServiceView } from '../../../control-plane/src/api/types.ts';

function keep<T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (one: T) => string,
  same: (a: T, b: T) => boolean,
): T[] {
  const old = new Map(before.map((one) => [keyOf(one), one]));
  return after.map((one) => {
    const was = old.get(keyOf(one));
    return was !== undefined && same(was, one) ? was : one;
  });
}

const sameService = (a: ServiceView, b: ServiceView): boolean =>
  a.revision === b.revision &&
  a.status.state === b.status.state &&
  a.status.message === b.status.message &&
  a.status.sessions === b.status.sessions &&
  a.status.ready === b.status.ready &&
  a.status.wanted === b.status.wanted &&
  a.instances.length === b.instances.length &&
  JSON.stringify(a.status.conditions) === JSON.stringify(b.status.conditions);

const sameInstance = (a: InstanceView, b: InstanceView): boolean =>
  a.revision === b.revision &&
  a.sessions === b.sessions &&
  JSON.stringify([a.health, a.usage]) === JSON.stringify([b.health, b.usage]);

export function mergeState(before: LiveState | undefined, after: LiveState): LiveState {
  if (before === undefined) return after;
  return {
    ...after,
    services: keep(before.services, after.services, (one) => one.name, sameService),
    instances: keep(before.instances, after.instances, (one) => one.id, sameInstance),
  };
}
