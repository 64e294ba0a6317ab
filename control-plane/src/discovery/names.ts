/** Names that are followed: each is looked up again as its records age. What is remembered is only what the last look-ups said. */
import { isIP } from 'node:net';
import { sameParts } from '../model/same-parts.ts';
import type { Lookup, Outcome } from './lookup.ts';

/** What a name stands for. */
export interface Resolution {
  /** Sorted. Undefined: nobody has been able to tell yet. */
  readonly addresses: readonly string[] | undefined;
  /** Why the last look-up gave none; what was known before it is in `addresses` still, unless the DNS itself says that there is none. */
  readonly problem?: string;
}

export interface Names {
  /** Replaces the set of names that are looked up; in lower case. */
  follow(names: ReadonlySet<string>): void;
  /** Undefined: not followed, or its first look-up is under way. */
  of(name: string): Resolution | undefined;
  close(): void;
}

export interface NamesOptions {
  readonly lookup: Lookup;
  /** A name stands for something else now, or something else is wrong with it. */
  readonly onChange: () => void;
  /** In [0, 1). */
  readonly random: () => number;
}

const SHORTEST_MS = 1_000;
const LONGEST_MS = 30_000;
/** After a look-up that gave nothing: 1, 2, 4, 8 s, then this. */
const LONGEST_BACKOFF_MS = 10_000;
/** Look-ups at a time. */
const CONCURRENCY = 64;
const MOST_ADDRESSES = 256;

interface Followed {
  timer: NodeJS.Timeout | undefined;
  resolution: Resolution | undefined;
  /** Look-ups one after another that gave nothing. */
  misses: number;
}

function after({ resolution }: Followed, outcome: Outcome): Resolution {
  const known = resolution?.addresses;
  if (outcome.found === 'nothing') return { addresses: [], problem: outcome.reason };
  if (outcome.found === 'failure') return { addresses: known, problem: outcome.reason };
  const { addresses, untold } = outcome;
  const kept = untold === undefined ? [] : (known ?? []).filter((address) => isIP(address) === untold);
  return { addresses: [...new Set([...addresses, ...kept])].sort().slice(0, MOST_ADDRESSES) };
}

const areSame = (a: Resolution | undefined, b: Resolution): boolean =>
  a !== undefined &&
  a.problem === b.problem &&
  (a.addresses === b.addresses ||
    (a.addresses !== undefined && b.addresses !== undefined && sameParts(a.addresses, b.addresses)));

export function createNames({ lookup, onChange, random }: NamesOptions): Names {
  const followed = new Map<string, Followed>();
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;

  function pause(one: Followed, outcome: Outcome): number {
    one.misses = outcome.found === 'addresses' ? 0 : one.misses + 1;
    const wanted =
      outcome.found === 'addresses'
        ? Math.min(Math.max(outcome.ttlMs, SHORTEST_MS), LONGEST_MS)
        : Math.min(SHORTEST_MS * 2 ** (one.misses - 1), LONGEST_BACKOFF_MS);
    // Never before the record's life is over, and not all names at the same moment.
    return wanted * (1 + 0.1 * random());
  }

  async function look(name: string, one: Followed): Promise<void> {
    if (followed.get(name) !== one) return;
    const outcome = await lookup(name);
    if (followed.get(name) !== one) return;
    const next = after(one, outcome);
    const isNews = !areSame(one.resolution, next);
    if (isNews) one.resolution = next;
    one.timer = setTimeout(
      () => {
        ask(name, one);
      },
      pause(one, outcome),
    );
    if (isNews) onChange();
  }

  function ask(name: string, one: Followed): void {
    waiting.push(async () => look(name, one));
    pump();
  }

  function pump(): void {
    while (running < CONCURRENCY) {
      const next = waiting.shift();
      if (next === undefined) return;
      running += 1;
      void next().finally(() => {
        running -= 1;
        pump();
      });
    }
  }

  function drop(name: string): void {
    clearTimeout(followed.get(name)?.timer);
    followed.delete(name);
  }

  return {
    follow(names) {
      for (const name of followed.keys()) if (!names.has(name)) drop(name);
      for (const name of names) {
        if (followed.has(name)) continue;
        const one: Followed = { timer: undefined, resolution: undefined, misses: 0 };
        followed.set(name, one);
        ask(name, one);
      }
    },
    of: (name) => followed.get(name)?.resolution,
    close() {
      for (const name of followed.keys()) drop(name);
    },
  };
}
