/** Who runs which revision: settled revisions and refusals of every connected Envoy, and those who wait for them. */
import type { Progress } from './nodes.ts';
import type { AckReport } from './status.ts';
import { shortName } from './types.ts';

export interface TimelineEntry {
  readonly node: string;
  readonly state: 'acked' | 'pending' | 'refused';
  /** When something of it, or of a later one, was first sent; null: nothing had to be sent before it was settled. */
  readonly sentAt: string | null;
  readonly at: string | null;
  readonly message: string;
}

export interface Acks {
  /** Something of this revision was sent. */
  sent(node: string, revision: number): void;
  /** Called after each event of a stream of this node. */
  progressed(node: string): void;
  /** The node has left. */
  left(node: string): void;
  report(revision: number): AckReport;
  whenAcked(revision: number, timeoutMs: number, signal: AbortSignal): Promise<AckReport>;
  /** The newest revision up to this one that somebody waits for. */
  awaited(upTo: number): number | undefined;
  timeline(revision: number): TimelineEntry[];
}

/** Kept revisions a node, and nodes that have left. */
const KEPT = 2000;
const MOST_NODES = 1000;

/** By node: times of revisions, oldest first. */
type Times = Map<string, { revision: number; at: string }[]>;

interface Waiter {
  readonly revision: number;
  check(): void;
}

export interface AcksOptions {
  readonly nodes: () => Iterable<string>;
  readonly progress: (node: string) => Progress;
  readonly now: () => number;
}

export function createAcks({ nodes, progress: progressOf, now }: AcksOptions): Acks {
  const progress = (): Progress[] => [...nodes()].map(progressOf);
  const waiters = new Set<Waiter>();
  /** By node: when each revision was settled, oldest first. A revision that was skipped is settled with the next. */
  const settledAt: Times = new Map();
  const sentAt: Times = new Map();

  function record(times: Times, node: string, revision: number): void {
    const entries = times.get(node) ?? [];
    if ((entries.at(-1)?.revision ?? 0) >= revision) return;
    entries.push({ revision, at: new Date(now()).toISOString() });
    if (entries.length > KEPT) entries.shift();
    times.set(node, entries);
  }
  const first = (times: Times, node: string, revision: number): string | null =>
    times.get(node)?.find((entry) => entry.revision >= revision)?.at ?? null;

  function report(revision: number): AckReport {
    const acked: string[] = [];
    const pending: string[] = [];
    const refused: { node: string; type: string; message: string }[] = [];
    for (const { node, settledRevision, refusals } of progress()) {
      // A refusal speaks against the writes that the refused resource would have brought, and against no other's.
      const own = refusals.filter(({ after, upTo }) => after < revision && revision <= upTo);
      if (own.length > 0)
        refused.push(
          ...own.map((refusal) => ({
            node,
            type: shortName(refusal.type),
            message: `${refusal.name}: ${refusal.message}`,
          })),
        );
      // While a refused response is taken apart, what is good in it is still to come.
      if (settledRevision < revision) pending.push(node);
      else if (own.length === 0) acked.push(node);
    }
    return { revision, acked, pending, refused };
  }

  function isSettled({ acked, pending, refused }: AckReport): boolean {
    return pending.length === 0 && acked.length + refused.length > 0;
  }

  return {
    sent(node, revision) {
      record(sentAt, node, revision);
    },
    progressed(node) {
      record(settledAt, node, progressOf(node).settledRevision);
      for (const waiter of [...waiters]) waiter.check();
    },
    left(node) {
      // What it ran before counts for its next stream only when that tells so.
      if (settledAt.size > MOST_NODES) settledAt.delete(node);
      if (sentAt.size > MOST_NODES) sentAt.delete(node);
      for (const waiter of [...waiters]) waiter.check();
    },
    report,
    async whenAcked(revision, timeoutMs, signal) {
      return new Promise((resolve) => {
        const finish = (result: AckReport): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', giveUp);
          waiters.delete(waiter);
          resolve(result);
        };
        const giveUp = (): void => {
          finish(report(revision));
        };
        const waiter: Waiter = {
          revision,
          check() {
            const result = report(revision);
            if (isSettled(result)) finish(result);
          },
        };
        const timer = setTimeout(giveUp, timeoutMs);
        signal.addEventListener('abort', giveUp, { once: true });
        waiters.add(waiter);
        if (signal.aborted) giveUp();
        else waiter.check();
      });
    },
    awaited(upTo) {
      const revisions = [...waiters].map((waiter) => waiter.revision).filter((revision) => revision <= upTo);
      return revisions.length === 0 ? undefined : Math.max(...revisions);
    },
    timeline(revision) {
      const { refused } = report(revision);
      return progress().map(({ node, settledRevision }) => {
        const refusal = refused.find((one) => one.node === node);
        const at = first(settledAt, node, revision);
        const sent = first(sentAt, node, revision);
        // What was sent after it was settled belongs to a later one.
        const own = sent !== null && at !== null && sent > at ? null : sent;
        if (refusal !== undefined) return { node, state: 'refused', sentAt: own, at: null, message: refusal.message };
        return { node, state: settledRevision >= revision ? 'acked' : 'pending', sentAt: own, at, message: '' };
      });
    },
  };
}
