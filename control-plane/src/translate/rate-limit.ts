/**
 * The pace of new sessions, kept by Envoy itself. The bucket is as large as the ready instances together can bear, so it opens wider as
 * they come back; a client address has a bucket of its own. Each route to a service has its own buckets, and Envoy fills all of them anew when any
 * route is changed: what is let in at once is at most one burst more for each.
 */
import type { SessionLimits } from '../model/limits.ts';
import type { JsonObject } from '../routing/policy.ts';
import { FILTER_TYPES, SLOT } from './filters.ts';

const SECONDS_OF_BURST = 2;
/** Addresses that are remembered; one that falls out starts with a full bucket. */
const CLIENTS = 50_000;
const ALWAYS = { default_value: { numerator: 100, denominator: 'HUNDRED' } };
const UNLIMITED = 1_000_000_000;

type Rate = NonNullable<SessionLimits['newPerInstance']>;

/** Slow rates fill one token at a time, quick ones every 100 ms: never a second's worth in one gulp. */
function bucket({ perSecond, burst }: Rate, times: number): JsonObject {
  const rate = perSecond * times;
  const intervalMs = Math.max(100, Math.ceil(1000 / rate));
  const tokens = Math.max(1, Math.round((rate * intervalMs) / 1000));
  return {
    max_tokens: Math.max(tokens, burst === undefined ? Math.ceil(rate * SECONDS_OF_BURST) : burst * times),
    tokens_per_fill: tokens,
    fill_interval: `${intervalMs / 1000}s`,
  };
}

/** For a route's typed_per_filter_config. `ready`: instances that can take sessions. */
export function rateLimit(limits: SessionLimits | undefined, ready: number): JsonObject {
  const { newPerInstance, newPerClient } = limits ?? {};
  if (newPerInstance === undefined && newPerClient === undefined) return {};
  return {
    [SLOT.rateLimit]: {
      '@type': FILTER_TYPES.rateLimit,
      stat_prefix: 'sessions',
      token_bucket:
        newPerInstance === undefined
          ? { max_tokens: UNLIMITED, tokens_per_fill: UNLIMITED, fill_interval: '1s' }
          : bucket(newPerInstance, Math.max(1, ready)),
      filter_enabled: ALWAYS,
      filter_enforced: ALWAYS,
      ...(newPerClient === undefined
        ? {}
        : {
            rate_limits: [{ actions: [{ remote_address: {} }] }],
            descriptors: [{ entries: [{ key: 'remote_address' }], token_bucket: bucket(newPerClient, 1) }],
            max_dynamic_descriptors: CLIENTS,
          }),
    },
  };
}
