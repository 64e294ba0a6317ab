/**
 * How many bytes may be on their way to all Envoys together: a crowd that comes at once, or that never reads, must not fill the memory. What is larger
 * than a small change waits for its turn until others have been read; whoever takes too long while somebody waits is ended.
 */
import type { Timer } from './pacer.ts';

export interface Budget {
  /** True: they may be written, and are given back when they are read. False: `owner.resume` is called when it is worth asking again. */
  take(owner: Owner, bytes: number): boolean;
  give(owner: Owner, bytes: number): void;
  /** It is over: all that it has is given back. */
  leave(owner: Owner): void;
  /** Bytes on their way. */
  taken(): number;
}

export interface Owner {
  resume(): void;
  /** It has not read for so long, and others wait for it. */
  tooSlow(ms: number): void;
}

export interface BudgetOptions {
  readonly bytes: number;
  /** Milliseconds. */
  readonly slowMs: number;
  readonly clock: () => number;
  readonly timer: Timer;
}

/** What is as small as a change of some endpoints goes all the same, up to twice the bound: others' first sets must not hold it up. */
const SMALL = 64 * 1024;

export function createBudget({ bytes: most, slowMs, clock, timer }: BudgetOptions): Budget {
  let total = 0;
  /** `since`: when it last had nothing to read, or read something. */
  const owners = new Map<Owner, { bytes: number; since: number }>();
  const waiting = new Set<Owner>();
  let isServing = false;
  let cancel: (() => void) | undefined;

  const fits = (bytes: number): boolean =>
    total === 0 || total + bytes <= most || (bytes <= SMALL && total + bytes <= 2 * most);

  /** Those that wait, in their order, until one has to wait on. */
  function serve(): void {
    if (isServing) return;
    isServing = true;
    for (const owner of [...waiting]) {
      if (total >= most) break;
      waiting.delete(owner);
      owner.resume();
      if (waiting.has(owner)) break;
    }
    isServing = false;
    look();
  }

  /** While somebody waits, those that do not read are found. */
  function look(): void {
    cancel?.();
    cancel = undefined;
    if (waiting.size === 0 || owners.size === 0) return;
    const first = Math.min(...[...owners.values()].map(({ since }) => since));
    cancel = timer(Math.max(1, first + slowMs - clock()), () => {
      for (const [owner, { since }] of [...owners])
        if (waiting.size > 0 && clock() - since >= slowMs) owner.tooSlow(clock() - since);
      look();
    });
  }

  function settle(bytes: number): void {
    total -= bytes;
    if (waiting.size > 0) serve();
    else if (owners.size === 0) cancel?.();
  }

  return {
    take(owner, bytes) {
      if (!fits(bytes)) {
        const isFirst = waiting.size === 0;
        waiting.add(owner);
        if (isFirst && !isServing) look();
        return false;
      }
      const held = owners.get(owner);
      if (held === undefined) owners.set(owner, { bytes, since: clock() });
      else held.bytes += bytes;
      total += bytes;
      return true;
    },
    give(owner, bytes) {
      const held = owners.get(owner);
      if (held === undefined) return;
      held.bytes -= bytes;
      held.since = clock();
      if (held.bytes <= 0) owners.delete(owner);
      settle(bytes);
    },
    leave(owner) {
      waiting.delete(owner);
      const held = owners.get(owner);
      owners.delete(owner);
      if (held !== undefined) settle(held.bytes);
    },
    taken: () => total,
  };
}
