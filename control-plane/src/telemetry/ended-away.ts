/**
 * Sessions that ended while no control plane was there: their ends were told to nobody, so that for some seconds after a start they stand in the table beside
 * those that came in their place. How many they are a gateway's own count of its open sessions tells at once; where, its load reports, which by themselves
 * prove nothing (Envoy counts anew when a cluster is changed). Which ones they are is known when all that are open have been told of. Pure.
 */

export interface Doubts {
  /** Sessions by `ip:port` that were known before, and not told of since. */
  readonly untold: ReadonlyMap<string, number>;
  readonly listedAt: (upstream: string) => number;
  /** As the gateways report; undefined: they don't at present. */
  readonly open: ReadonlyMap<string, number> | undefined;
  /** More are listed than the gateway has open. */
  readonly excess: number;
}

/** How many have probably ended, by `ip:port`; `total` is exact. */
export function endedAway({ untold, listedAt, open, excess }: Doubts): {
  total: number;
  at: ReadonlyMap<string, number>;
} {
  let most = 0;
  for (const count of untold.values()) most += count;
  const total = Math.max(0, Math.min(excess, most));
  if (total === 0 || open === undefined) return { total, at: new Map() };
  const missing = new Map<string, number>();
  let sum = 0;
  for (const [upstream, count] of untold) {
    const less = Math.min(count, Math.max(0, listedAt(upstream) - (open.get(upstream) ?? 0)));
    if (less > 0) missing.set(upstream, less);
    sum += less;
  }
  if (sum <= total) return { total, at: missing };
  // Somewhere Envoy has counted anew: all get their part.
  return { total, at: new Map([...missing].map(([upstream, less]) => [upstream, Math.floor((less * total) / sum)])) };
}
