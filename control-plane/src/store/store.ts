/**
 * The Store port: a small, durable, revisioned map of JSON documents. Nothing here assumes that one process owns it.
 *
 * - One revision counter for the whole store; each commit takes the next number and is atomic.
 * - A commit that was answered is durable: it is there after `kill -9` and power loss.
 * - `watch` has no gap and no repeat: it delivers every commit after `from`, in order, across the seam between history and live.
 * - Leases carry a fencing token that grows with every new holder; a commit that names an old token is refused, so a holder
 *   that was paused past its time can't write.
 */
import type { z } from 'zod';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface StoredRecord {
  readonly key: string;
  readonly value: Json;
  /** Revision of the last commit that wrote it. */
  readonly revision: number;
  /** Revision that created it. */
  readonly created: number;
}

export type Change =
  { readonly op: 'put'; readonly key: string; readonly value: Json } | { readonly op: 'delete'; readonly key: string };

/** All must hold, or nothing is written: the key's present revision (0: absent). */
export interface Expectation {
  readonly key: string;
  readonly revision: number;
}

export interface Fence {
  readonly lease: string;
  readonly token: number;
}

export interface Commit {
  readonly revision: number;
  readonly changes: readonly Change[];
}

export interface Lease {
  readonly name: string;
  readonly holder: string;
  readonly token: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface Store {
  get(key: string): Promise<StoredRecord | undefined>;
  /** Every record whose key starts with `prefix`, sorted by key, as of one revision. */
  list(prefix: string): Promise<{ revision: number; records: StoredRecord[] }>;
  /**
   * Writes all changes as one revision. Errors: `precondition_failed` when an expectation or the fence does not hold (issues
   * name the keys), `unavailable` when the disk is full or read-only; nothing is written then.
   */
  commit(changes: readonly Change[], options?: { expect?: readonly Expectation[]; fence?: Fence }): Promise<Commit>;
  /** Every commit with a revision greater than `from`, then live ones until the signal. Error: `compacted`. */
  watch(from: number, signal: AbortSignal): AsyncIterable<Commit>;
  readonly leases: Leases;
  close(): Promise<void>;
}

export interface Leases {
  /** Takes a free, expired or own lease. A new holder (or one that returns after expiry) gets a greater token; undefined: another holds it. */
  acquire(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  /** Extends it if the token is still the present one and it has not been taken by another; undefined: lost. */
  renew(name: string, token: number, ttlMs: number): Promise<Lease | undefined>;
  release(name: string, token: number): Promise<void>;
  /** All leases whose name starts with the prefix, expired ones too. */
  list(prefix: string): Promise<Lease[]>;
}

/** Clock: milliseconds since the epoch. Passed in, so that tests need not sleep. */
export interface StoreContext {
  now: () => number;
}

export interface StoreDriver<Options> {
  readonly name: string;
  readonly options: z.ZodType<Options>;
  create(options: Options, context: StoreContext): Promise<Store>;
}
