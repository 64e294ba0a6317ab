/**
 * When a change is pushed. The first change after a quiet time goes at once; those that follow are gathered until it is quiet again,
 * or for the longest time. Endpoints do not wait for that: they go at once, at most once in a short while. Nor does anything for whose ACK
 * somebody waits.
 */

export type PushKind = 'config' | 'endpoints';

/** Runs something later; the function that it returns prevents that. */
export type Timer = (ms: number, run: () => void) => () => void;

export interface PacerOptions {
  readonly quietMs: number;
  readonly longestMs: number;
  readonly batchMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly timer: Timer;
  /** `config` pushes everything. `waitedMs`: since the oldest change in it. */
  readonly push: (kind: PushKind, waitedMs: number) => void;
}

export interface Pacer {
  changed(kind: PushKind): void;
  /** What is held back goes now. */
  hurry(): void;
  /** Whether a change of configuration is being held back. */
  isGathering(): boolean;
  close(): void;
}

interface Pending {
  readonly first: number;
  last: number;
  hurried: boolean;
}

export function createPacer({ quietMs, longestMs, batchMs, clock, timer, push }: PacerOptions): Pacer {
  const pending = new Map<PushKind, Pending>();
  const pushedAt: Record<PushKind, number> = { config: -Infinity, endpoints: -Infinity };
  let isPushing = false;
  let cancel: (() => void) | undefined;

  function dueAt(kind: PushKind, { first, last, hurried }: Pending): number {
    if (hurried) return first;
    if (kind === 'endpoints') return pushedAt.endpoints + batchMs;
    // Nothing was pushed for a while: there is no burst yet that it could be part of.
    if (first - pushedAt.config >= quietMs && first === last) return first;
    return Math.min(last + quietMs, first + longestMs);
  }

  function run(): void {
    // A push may bring about the next change: that one is looked at when the push is over.
    if (isPushing) return;
    isPushing = true;
    try {
      for (let kind = nextDue(); kind !== undefined; kind = nextDue()) {
        const { first } = pending.get(kind) ?? { first: clock() };
        pending.delete(kind);
        if (kind === 'config') pending.delete('endpoints');
        pushedAt[kind] = clock();
        if (kind === 'config') pushedAt.endpoints = clock();
        push(kind, clock() - first);
      }
    } finally {
      isPushing = false;
    }
    cancel?.();
    const times = [...pending].map(([kind, one]) => dueAt(kind, one));
    cancel = times.length === 0 ? undefined : timer(Math.max(0, Math.min(...times) - clock()), run);
  }

  const nextDue = (): PushKind | undefined =>
    (['config', 'endpoints'] as const).find((kind) => {
      const one = pending.get(kind);
      return one !== undefined && dueAt(kind, one) <= clock();
    });

  return {
    changed(kind) {
      const at = clock();
      const one = pending.get(kind);
      if (one === undefined) pending.set(kind, { first: at, last: at, hurried: false });
      else one.last = at;
      run();
    },
    hurry() {
      for (const one of pending.values()) one.hurried = true;
      run();
    },
    isGathering: () => pending.has('config'),
    close() {
      cancel?.();
      pending.clear();
    },
  };
}
