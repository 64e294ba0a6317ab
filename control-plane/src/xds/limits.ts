/** What one peer, and all together, may take. */
import type { ConnectionLimits } from './connection.ts';

export interface XdsLimits extends ConnectionLimits {
  readonly messageBytes: number;
  readonly streams: number;
  readonly streamsPerNode: number;
  /** Written and not read yet, over all streams; and how long one may take for that while others wait, in milliseconds. */
  readonly bytesInFlight: number;
  readonly slowMs: number;
}

export const LIMITS: XdsLimits = {
  // A delta reconnect carries the versions of everything that Envoy has: the default of 4 MiB is too small for that.
  messageBytes: 64 * 1024 * 1024,
  streams: 10_000,
  // One for each type and variant, twice over while one Envoy replaces another.
  streamsPerNode: 32,
  requestsPerSecond: 2_000,
  requestsAtOnce: 5_000,
  firstRequestMs: 30_000,
  ageMs: 60 * 60_000,
  graceMs: 30_000,
  bytesInFlight: 32 * 1024 * 1024,
  slowMs: 10_000,
};
