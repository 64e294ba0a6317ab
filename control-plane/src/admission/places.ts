/**
 * How many new sessions fit into a service whose instances hold a limited number each. Envoy chooses the instance, so all that are on
 * their way may land at the fullest one that still takes some: no more may be on their way than fit there. Full ones are closed in Envoy.
 */

export interface Place {
  readonly open: number;
  /** Envoy sends it new sessions, or may do so any moment. */
  readonly takes: boolean;
  /** Everything says that it can: it is ready, acknowledged, and well. */
  readonly served: boolean;
}

/** `most`: sessions that an instance may have. Sessions that are on their way are part of the answer's number. */
export function freePlaces(instances: readonly Place[], most: number): number {
  // Envoy has yet to hear that it is full: one more could land there.
  if (instances.some(({ open, takes }) => open >= most && takes)) return 0;
  const withRoom = instances.filter(({ open }) => open < most);
  if (!withRoom.some(({ takes, served }) => takes && served)) return 0;
  // Also of one that is closed still: it has room again, so it is about to be opened.
  return Math.min(...withRoom.map(({ open }) => most - open));
}
