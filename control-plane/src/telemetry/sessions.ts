/**
 * The table of open sessions. It is fed by Envoy's access log: a record when the tunnel is established, one at each interval, one at
 * the end. Each carries everything, so a lost record is made good by the next; a session that is not heard of for three intervals is gone.
 */
import type { Session, SessionCounts } from './session.ts';

export interface SessionTable {
  upsert(session: Session): void;
  end(id: string): void;
  list(): Session[];
  counts(): SessionCounts;
  /** Open sessions at `ip:port`. */
  openAt(upstream: string): number;
  /**
   * A gateway is connected. `fresh`: it was started by this control plane, so it can have no session that was not told here; any other may
   * have some, and tells of them within one interval. `process` distinguishes it from its predecessor, whose sessions ended with it.
   */
  gatewayConnected(gateway: string, process: string, fresh: boolean): void;
  gatewayLost(gateway: string): void;
  /** No gateway runs: there can be no session. */
  gatewayGone(gateway: string): void;
  /** Called after changes, at most once a turn of the event loop. */
  subscribe(listener: () => void): () => void;
  /** Drops what was not heard of; call it about once a second. */
  expire(): void;
}

interface Entry {
  readonly session: Session;
  readonly heardAt: number;
}

interface Gateway {
  readonly process: string;
  readonly connected: boolean;
  /** From when on its sessions are all known. */
  readonly completeAt: number;
}

export function createSessionTable({ now, intervalMs }: { now: () => number; intervalMs: number }): SessionTable {
  const entries = new Map<string, Entry>();
  const byUpstream = new Map<string, number>();
  const gateways = new Map<string, Gateway>();
  const listeners = new Set<() => void>();
  let telling = false;

  function changed(): void {
    if (telling) return;
    telling = true;
    setImmediate(() => {
      telling = false;
      for (const listener of listeners) listener();
    });
  }

  function count(upstream: string, step: 1 | -1): void {
    const next = (byUpstream.get(upstream) ?? 0) + step;
    if (next <= 0) byUpstream.delete(upstream);
    else byUpstream.set(upstream, next);
  }

  function drop(id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    count(entry.session.upstream, -1);
    changed();
  }

  function dropAllOf(gateway: string): void {
    for (const [id, { session }] of entries) if (session.gateway === gateway) drop(id);
  }

  return {
    upsert(session) {
      const old = entries.get(session.id);
      if (old?.session.upstream !== session.upstream) {
        if (old !== undefined) count(old.session.upstream, -1);
        count(session.upstream, 1);
        changed();
      }
      entries.set(session.id, { session, heardAt: now() });
    },
    end: drop,
    list: () => [...entries.values()].map((entry) => entry.session),
    openAt: (upstream) => byUpstream.get(upstream) ?? 0,
    counts() {
      const known = [...gateways.values()];
      const settled = known.length > 0 && known.every((gateway) => gateway.connected && now() >= gateway.completeAt);
      return { byUpstream: new Map(byUpstream), total: entries.size, settled };
    },
    gatewayConnected(gateway, process, fresh) {
      const old = gateways.get(gateway);
      if (old !== undefined && old.process !== process) dropAllOf(gateway);
      // 1.2 intervals: its timers are not aligned with our connection.
      gateways.set(gateway, { process, connected: true, completeAt: fresh ? 0 : now() + 1.2 * intervalMs });
      changed();
    },
    gatewayLost(gateway) {
      const old = gateways.get(gateway);
      if (old !== undefined) gateways.set(gateway, { ...old, connected: false });
      changed();
    },
    gatewayGone(gateway) {
      dropAllOf(gateway);
      gateways.set(gateway, { process: '', connected: true, completeAt: 0 });
      changed();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    expire() {
      const limit = now() - 3 * intervalMs;
      for (const [id, { heardAt }] of entries) if (heardAt < limit) drop(id);
    },
  };
}
