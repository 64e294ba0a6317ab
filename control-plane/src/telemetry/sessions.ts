/**
 * The table of open sessions. It is fed by Envoy's access log: a record when the tunnel is established, one at each interval, one at
 * the end. Each carries everything, so a lost record is made good by the next; a session that is not heard of for three intervals is gone.
 * The gateways' own counts (load reports) can only add to what is listed: Envoy counts anew when a cluster is changed or removed, so a
 * smaller count of its own proves nothing, and an instance must not be taken for empty on it. Times are of a clock that never jumps.
 */
import { endedBy } from './ending.ts';
import { createCountCheck } from './count-check.ts';
import { createEndedSessions } from './ended.ts';
import { endedAway } from './ended-away.ts';
import type { EndedSession, Ending, SeenSession, Session, SessionChange, SessionCounts } from './session.ts';

export interface SessionTable {
  upsert(seen: SeenSession): void;
  /** A record of a session that is known at this instance: true, and its bytes are noted. The common case, so it is cheap. */
  heard(id: string, upstream: string, bytesReceived: number, bytesSent: number): boolean;
  end(id: string, ending: Ending): void;
  list(): Session[];
  /** The same for figures over time: of those that may have ended while no control plane was there, without as many as probably have. */
  likely(): Session[];
  get(id: string): Session | EndedSession | undefined;
  /** Newest first; bounded. */
  ended(): EndedSession[];
  counts(): SessionCounts;
  /** Open sessions of the service at `ip:port`: `counts().at`, as of now. */
  openAt(service: string, upstream: string): number;
  /**
   * A gateway is connected. `fresh`: it was started by this control plane, so it can have no session that was not told here; any other may
   * have some, and tells of them within one interval. `process` distinguishes it from its predecessor, whose sessions ended with it, unless that is
   * `former`: it has handed over and serves on what it has open.
   */
  gatewayConnected(gateway: string, process: string, fresh: boolean, former?: string): void;
  /**
   * What the control plane before knew of a gateway. Until the gateway has told of a session again its bytes are those of then; one that it does not
   * tell of has ended meanwhile. `whole`: it knew of all of them. Call it before the gateway connects.
   */
  restore(gateway: string, process: string, sessions: readonly Session[], whole: boolean): void;
  gatewayLost(gateway: string): void;
  /** No gateway runs: there can be no session. */
  gatewayGone(gateway: string): void;
  /**
   * The gateways' own counts by `ip:port`; undefined: they don't tell at present. Returns the addresses where requests hang, or records are late:
   * those that have more open than the table lists.
   */
  reported(open: ReadonlyMap<string, number> | undefined): readonly string[];
  /** The gateway has so many sessions open, by its own exact count: what it has yet to tell of, and is more, has ended. Of use until all is settled. */
  counted(gateway: string, open: number): void;
  /** Called after changes, at most once a turn of the event loop. */
  subscribe(listener: () => void): () => void;
  /** Called for each session that opens or ends. */
  watch(listener: (change: SessionChange) => void): () => void;
  /** Drops what was not heard of; call it about once a second. */
  expire(): void;
}

export type Placement = Pick<
  Session,
  'service' | 'version' | 'instance' | 'policy' | 'reason' | 'heardLate' | 'retries'
>;

export interface SessionTableOptions {
  /** Milliseconds of a clock that only goes forward, and stands still while the program does: records wait to be read then. */
  readonly now: () => number;
  readonly intervalMs: number;
  /** Milliseconds since the epoch, for people. */
  readonly wallClock?: () => number;
  /** What is known of where it was placed, asked once for each session. */
  readonly describe?: (seen: SeenSession) => Placement;
  /** So many more bytes from and to the client than were known. Often called. */
  readonly onBytes?: (session: Session, received: number, sent: number) => void;
}

interface Entry {
  session: Session;
  heardAt: number;
  /** Its gateway has yet to tell of it to this control plane. */
  restored?: boolean;
  /** A process of its gateway has ended, maybe the one that carried it: it is gone unless it is heard of until then. */
  doubtedUntil?: number;
}

interface Gateway {
  readonly process: string;
  readonly former: string;
  readonly connected: boolean;
  /** From when on its sessions are all known. */
  readonly completeAt: number;
  /** None is missing that the control plane was asked about, though some may have ended. */
  readonly whole: boolean;
}

const UNKNOWN = { durationMs: undefined, bytesReceived: undefined, bytesSent: undefined };
const ENDED_MEANWHILE: Ending = { ...endedBy('WhileAway'), ...UNKNOWN };
const NOT_HEARD: Ending = { ...endedBy('NotTold'), ...UNKNOWN };
const CARRIER_ENDED: Ending = { ...endedBy('GatewayLost'), ...UNKNOWN };

const placeOf = (service: string, upstream: string): string => `${service} ${upstream}`;

function placedUnknown({ cluster }: SeenSession): Placement {
  return { service: cluster, version: null, instance: null, policy: null, reason: '' };
}

export function createSessionTable(options: SessionTableOptions): SessionTable {
  const { now, intervalMs, wallClock = Date.now, describe = placedUnknown, onBytes } = options;
  const entries = new Map<string, Entry>();
  const byUpstream = new Map<string, number>();
  const byPlace = new Map<string, number>();
  /** Restored, and not told of since, by upstream. */
  const untold = new Map<string, number>();
  let excess = 0;
  let reportedOpen: ReadonlyMap<string, number> | undefined;
  const gateways = new Map<string, Gateway>();
  const listeners = new Set<() => void>();
  const watchers = new Set<(change: SessionChange) => void>();
  const ended = createEndedSessions({ now: wallClock });
  const check = createCountCheck();
  let telling = false;
  let kept: SessionCounts | undefined;

  function changed(): void {
    kept = undefined;
    if (telling) return;
    telling = true;
    setImmediate(() => {
      telling = false;
      for (const listener of listeners) listener();
    });
  }

  function add(counts: Map<string, number>, key: string, step: 1 | -1): number {
    const next = Math.max(0, (counts.get(key) ?? 0) + step);
    if (next === 0) counts.delete(key);
    else counts.set(key, next);
    return next;
  }

  function count({ service, upstream }: Session, step: 1 | -1): void {
    add(byPlace, placeOf(service, upstream), step);
    check.counted(upstream, add(byUpstream, upstream, step));
  }

  function drop(id: string, ending: Ending): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    const { session } = entry;
    if (entry.restored === true) add(untold, session.upstream, -1);
    count(session, -1);
    const { durationMs, bytesReceived, bytesSent, ...why } = ending;
    const present = wallClock();
    const last: EndedSession = {
      ...session,
      ...why,
      endedAt: new Date(present).toISOString(),
      durationMs: durationMs ?? Math.max(0, present - Date.parse(session.startedAt)),
      bytesReceived: bytesReceived ?? session.bytesReceived,
      bytesSent: bytesSent ?? session.bytesSent,
    };
    ended.add(last);
    onBytes?.(session, last.bytesReceived - session.bytesReceived, last.bytesSent - session.bytesSent);
    for (const watcher of watchers) watcher({ type: 'ended', session: last });
    changed();
  }

  function dropAllOf(gateway: string): void {
    for (const [id, { session }] of entries) if (session.gateway === gateway) drop(id, CARRIER_ENDED);
  }

  function awayEnds(): ReturnType<typeof endedAway> {
    return endedAway({ untold, listedAt: (upstream) => byUpstream.get(upstream) ?? 0, open: reportedOpen, excess });
  }

  function openAt(service: string, upstream: string): number {
    return (byPlace.get(placeOf(service, upstream)) ?? 0) + Math.max(0, check.correction(upstream));
  }

  function compute(): SessionCounts {
    const known = [...gateways.values()];
    const all = (holds: (gateway: Gateway) => boolean): boolean =>
      known.length > 0 && known.every((gateway) => gateway.connected && holds(gateway));
    const settled = all(({ completeAt }) => now() >= completeAt);
    const whole = settled || all((gateway) => gateway.whole || now() >= gateway.completeAt);
    let unlisted = 0;
    for (const difference of check.corrections().values()) unlisted += Math.max(0, difference);
    const ended = awayEnds();
    const shownAt = (service: string, upstream: string): number =>
      Math.max(0, openAt(service, upstream) - (ended.at.get(upstream) ?? 0));
    return { at: openAt, shownAt, total: entries.size + unlisted - ended.total, unlisted, settled, whole };
  }

  return {
    heard(id, upstream, bytesReceived, bytesSent) {
      const entry = entries.get(id);
      if (entry?.session.upstream !== upstream) return false;
      entry.heardAt = now();
      delete entry.doubtedUntil;
      // What came and went before was told to the control plane before.
      if (entry.restored === true) {
        entry.restored = false;
        add(untold, upstream, -1);
        changed();
      } else onBytes?.(entry.session, bytesReceived - entry.session.bytesReceived, bytesSent - entry.session.bytesSent);
      entry.session = { ...entry.session, bytesReceived, bytesSent };
      return true;
    },
    upsert(seen) {
      const session: Session = { ...seen.told, ...describe(seen) };
      const { id, upstream } = session;
      const old = entries.get(id);
      if (old?.session.upstream !== upstream) {
        if (old !== undefined) count(old.session, -1);
        count(session, 1);
        if (!seen.isNew) check.settled(upstream, 1);
        changed();
      }
      if (old?.restored === true) add(untold, old.session.upstream, -1);
      entries.set(id, { session, heardAt: now() });
      // Those of a session that was open before were told of to the control plane before this one.
      if (seen.isNew)
        onBytes?.(
          session,
          session.bytesReceived - (old?.session.bytesReceived ?? 0),
          session.bytesSent - (old?.session.bytesSent ?? 0),
        );
      if (old === undefined) for (const watcher of watchers) watcher({ type: 'opened', session, seen });
    },
    end: drop,
    list: () => Array.from(entries.values(), (entry) => entry.session),
    likely() {
      const less = new Map(awayEnds().at);
      const found: Session[] = [];
      for (const { session, restored } of entries.values()) {
        const left = restored === true ? (less.get(session.upstream) ?? 0) : 0;
        if (left === 0) found.push(session);
        else less.set(session.upstream, left - 1);
      }
      return found;
    },
    get: (id) => entries.get(id)?.session ?? ended.get(id),
    ended: () => ended.list(),
    openAt,
    counts() {
      // Whether it is settled depends on the time too, until it is.
      if (kept?.settled !== true) kept = compute();
      return kept;
    },
    gatewayConnected(gateway, process, fresh, former = '') {
      const old = gateways.get(gateway);
      const handedOver = former !== '' && old?.process === former ? old : undefined;
      if (old !== undefined && old.process !== process && handedOver === undefined) dropAllOf(gateway);
      // 1.2 intervals: its timers are not aligned with our connection.
      const soon = now() + 1.2 * intervalMs;
      // The table goes on as it was: what the new one has is told from its first session on.
      const completeAt = handedOver === undefined ? (fresh ? 0 : soon) : Math.min(handedOver.completeAt, soon);
      const whole = old?.whole === true && (old.process === process || handedOver !== undefined);
      if (old !== undefined && old.former !== '' && former === '')
        for (const entry of entries.values()) if (entry.session.gateway === gateway) entry.doubtedUntil = soon;
      gateways.set(gateway, { process, former, connected: true, completeAt, whole });
      changed();
    },
    restore(gateway, process, sessions, whole) {
      gateways.set(gateway, { process, former: '', connected: false, completeAt: Number.POSITIVE_INFINITY, whole });
      for (const session of sessions) {
        if (entries.has(session.id)) continue;
        entries.set(session.id, { session, heardAt: now(), restored: true });
        count(session, 1);
        add(untold, session.upstream, 1);
        for (const watcher of watchers) watcher({ type: 'opened', session, seen: { isNew: false } });
      }
      changed();
    },
    gatewayLost(gateway) {
      const old = gateways.get(gateway);
      if (old !== undefined) gateways.set(gateway, { ...old, connected: false });
      changed();
    },
    gatewayGone(gateway) {
      dropAllOf(gateway);
      gateways.set(gateway, { process: '', former: '', connected: true, completeAt: 0, whole: true });
      changed();
    },
    reported(open) {
      const before = JSON.stringify([...check.corrections()]);
      reportedOpen = open;
      let more: readonly string[] = [];
      if (open === undefined) check.clear();
      else more = check.reported(open, !compute().settled);
      if (JSON.stringify([...check.corrections()]) !== before) changed();
      return more;
    },
    counted(gateway, open) {
      let listed = 0;
      if (untold.size > 0) for (const { session } of entries.values()) if (session.gateway === gateway) listed += 1;
      excess = Math.max(0, listed - open);
      changed();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    watch(listener) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    expire() {
      const present = now();
      for (const [id, { heardAt, restored, doubtedUntil, session }] of entries) {
        const gateway = restored === true ? gateways.get(session.gateway) : undefined;
        if (gateway?.connected === true && present > gateway.completeAt) drop(id, ENDED_MEANWHILE);
        else if (doubtedUntil !== undefined && present > doubtedUntil) drop(id, CARRIER_ENDED);
        else if (present - heardAt > 3 * intervalMs) drop(id, NOT_HEARD);
      }
    },
  };
}
