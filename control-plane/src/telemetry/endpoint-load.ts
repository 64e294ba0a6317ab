/** The newest load report of each gateway, added up by instance address, with a smoothed error rate. */

/** A report that is older says nothing of the present. */
const FRESH_MS = 3_500;
/** Time after which what was seen counts a third. */
const MEMORY_MS = 30_000;

/** One endpoint's part of a report: requests open, begun and failed since the one before. */
export interface EndpointReport {
  readonly open: number;
  readonly issued: number;
  readonly failed: number;
}

export interface EndpointLoad {
  /** `source`: one stream of reports. */
  report(source: symbol, endpoints: ReadonlyMap<string, EndpointReport>): void;
  lost(source: symbol): void;
  /** Open requests by `ip:port` over all gateways; undefined while a gateway that reported before has not done so lately. */
  open(): ReadonlyMap<string, number> | undefined;
  /** Undefined: no request in the last minutes. */
  errorRate(upstream: string): number | undefined;
  /** Called after each report. */
  subscribe(listener: () => void): () => void;
}

interface Rate {
  issued: number;
  failed: number;
  at: number;
}

export function createEndpointLoad({ now }: { now: () => number }): EndpointLoad {
  const newest = new Map<symbol, { at: number; endpoints: ReadonlyMap<string, EndpointReport> }>();
  const rates = new Map<string, Rate>();
  const listeners = new Set<() => void>();

  function decayed(rate: Rate): Rate {
    const factor = Math.exp(-Math.max(0, now() - rate.at) / MEMORY_MS);
    return { issued: rate.issued * factor, failed: rate.failed * factor, at: now() };
  }

  function note(upstream: string, { issued, failed }: EndpointReport): void {
    if (issued === 0 && failed === 0) return;
    const before = decayed(rates.get(upstream) ?? { issued: 0, failed: 0, at: now() });
    rates.set(upstream, { issued: before.issued + issued, failed: before.failed + failed, at: before.at });
  }

  return {
    report(source, endpoints) {
      newest.set(source, { at: now(), endpoints });
      for (const [upstream, report] of endpoints) note(upstream, report);
      for (const [upstream, rate] of rates) if (now() - rate.at > 10 * MEMORY_MS) rates.delete(upstream);
      for (const listener of listeners) listener();
    },
    lost(source) {
      newest.delete(source);
    },
    open() {
      if (newest.size === 0) return undefined;
      const sums = new Map<string, number>();
      for (const { at, endpoints } of newest.values()) {
        if (Math.abs(now() - at) > FRESH_MS) return undefined;
        for (const [upstream, { open }] of endpoints) sums.set(upstream, (sums.get(upstream) ?? 0) + open);
      }
      return sums;
    },
    errorRate(upstream) {
      const rate = rates.get(upstream);
      if (rate === undefined) return undefined;
      const present = decayed(rate);
      return present.issued < 0.01 ? undefined : Math.min(1, present.failed / present.issued);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
