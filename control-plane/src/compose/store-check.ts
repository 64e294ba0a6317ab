/** Whether the store takes writes: told from a write, since a full disk and a store that hangs still read well. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import type { ReadinessCheck } from '../model/system.ts';
import type { Store } from '../store/store.ts';

/** However often somebody asks, it is written so seldom; what was wrong is tried sooner again. */
const GOOD_FOR_MS = 5_000;
const BAD_FOR_MS = 1_000;
const LONGEST_WRITE_MS = 2_000;
/** One lease, by whoever asks: a row that is written over. */
const LEASE = 'readiness';

export interface StoreCheckOptions {
  readonly store: Pick<Store, 'leases'>;
  readonly revision: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly longestWriteMs?: number;
}

export function createStoreCheck(options: StoreCheckOptions): () => Promise<ReadinessCheck> {
  const { store, revision, now, longestWriteMs = LONGEST_WRITE_MS } = options;
  let trouble: string | undefined;
  let until = -Infinity;
  let trying: Promise<void> | undefined;

  async function write(): Promise<string | undefined> {
    const written = store.leases.acquire(LEASE, LEASE, GOOD_FOR_MS).then(
      () => undefined,
      (error: unknown) => messageOf(error),
    );
    const late = new AbortController();
    const tooLate = sleep(longestWriteMs, `does not answer within ${longestWriteMs} ms`, { signal: late.signal });
    tooLate.catch(() => undefined);
    const found = await Promise.race([written, tooLate]);
    late.abort();
    return found;
  }

  async function look(): Promise<void> {
    trouble = await write();
    until = now() + (trouble === undefined ? GOOD_FOR_MS : BAD_FOR_MS);
  }

  return async () => {
    if (now() >= until) {
      trying ??= look().finally(() => (trying = undefined));
      await trying;
    }
    return trouble === undefined
      ? { name: 'store', ok: true, message: `takes writes; revision ${revision()}` }
      : { name: 'store', ok: false, message: `takes no writes: ${trouble}` };
  };
}
