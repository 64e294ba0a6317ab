/** From the events of GET /v1/live?changes=true back to states. What did not change stays the same object, so that whoever draws it can tell. Pure. */
import type { LiveChanges, LiveEvent, LiveState } from './types.ts';

function patched<T>(
  before: readonly T[],
  changed: readonly T[],
  gone: readonly string[],
  keyOf: (one: T) => string,
): readonly T[] {
  if (changed.length === 0 && gone.length === 0) return before;
  const newer = new Map(changed.map((one) => [keyOf(one), one]));
  const left = new Set(gone);
  const kept = before.flatMap((one) => {
    const key = keyOf(one);
    const instead = newer.get(key);
    newer.delete(key);
    return instead !== undefined ? [instead] : left.has(key) ? [] : [one];
  });
  if (newer.size === 0) return kept;
  // By code unit, as the API sorts.
  return [...kept, ...newer.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function change(state: LiveState, { revision, status, services, instances, gateways, gone }: LiveChanges): LiveState {
  return {
    revision,
    status: Object.keys(status).length === 0 ? state.status : { ...state.status, ...status },
    services: patched(state.services, services, gone.services, (one) => one.name),
    instances: patched(state.instances, instances, gone.instances, (one) => one.id),
    gateways: patched(state.gateways, gateways, gone.gateways, (one) => one.node),
  };
}

/** `before` undefined: nothing is known yet; the first event is a whole state. */
export function foldLive(before: LiveState | undefined, event: LiveEvent): LiveState {
  if (event.event === 'state') return event.data;
  if (before === undefined) throw new Error('changes came before the state that they change');
  return change(before, event.data);
}
