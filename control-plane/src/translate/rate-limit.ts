/**
 * The pace of new sessions, kept by Envoy itself. The bucket of a service is as large as its ready instances together can bear, so it opens
 * wider as they come back; each client address has a bucket of its own. They stand in the filter, not on routes: so all routes to a service
 * share them, parts of a split too, and no change of a route fills them anew. A change of the limits does, or of how many are ready.
 */
import type { FleetService } from '../model/fleet.ts';
import type { SessionLimits } from '../model/limits.ts';
import type { JsonObject } from '../routing/policy.ts';
import { FILTER_CONFIG, FILTER_TYPES, SLOT } from './filters.ts';

const SECONDS_OF_BURST = 2;
/** Addresses that are remembered of each service; one that falls out starts with a full bucket. */
const CLIENTS = 50_000;
const ALWAYS = { default_value: { numerator: 100, denominator: 'HUNDRED' } };
const UNLIMITED = { max_tokens: 1_000_000_000, tokens_per_fill: 1_000_000_000, fill_interval: '1s' };
/** What a route tells the filter of itself: its service. In a split Envoy tells it, once it has chosen the part: so it is called as Envoy calls it. */
const SERVICE = 'destination_cluster';
const ADDRESS = 'remote_address';

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

function buckets(service: FleetService): JsonObject[] {
  const { name, gateway } = service;
  const { newPerInstance, newPerClient } = gateway.limits ?? {};
  return [
    ...(newPerInstance === undefined
      ? []
      : [
          {
            entries: [{ key: SERVICE, value: name }],
            token_bucket: bucket(newPerInstance, Math.max(1, readyOf(service))),
          },
        ]),
    ...(newPerClient === undefined
      ? []
      : [{ entries: [{ key: SERVICE, value: name }, { key: ADDRESS }], token_bucket: bucket(newPerClient, 1) }]),
  ];
}

export const readyOf = ({ instances }: Pick<FleetService, 'instances'>): number =>
  instances.filter(({ health }) => health === 'healthy').length;

/** The filter with the buckets of all services. */
export const rateLimitFilter = (services: readonly FleetService[]): JsonObject => ({
  '@type': FILTER_TYPES.rateLimit,
  stat_prefix: 'sessions',
  token_bucket: UNLIMITED,
  filter_enabled: ALWAYS,
  filter_enforced: ALWAYS,
  descriptors: services.flatMap(buckets),
  max_dynamic_descriptors: CLIENTS,
});

export const isLimited = ({ newPerInstance, newPerClient }: SessionLimits = {}): boolean =>
  newPerInstance !== undefined || newPerClient !== undefined;

const told = (service: JsonObject): JsonObject => ({
  rate_limits: [{ actions: [service] }, { actions: [service, { remote_address: {} }] }],
});

/** For a route's typed_per_filter_config. */
export function rateLimitOfRoute(limits: SessionLimits | undefined): JsonObject {
  return isLimited(limits) ? { [SLOT.rateLimit]: { '@type': FILTER_CONFIG, config: {} } } : {};
}

/** For a route's action. */
export function rateLimitOfAction(service: string, limits: SessionLimits | undefined): JsonObject {
  return isLimited(limits) ? told({ generic_key: { descriptor_key: SERVICE, descriptor_value: service } }) : {};
}

/** For the action of a split. Parts that are not limited have no bucket, and don't enable the filter. */
export function rateLimitOfSplit(parts: readonly (SessionLimits | undefined)[]): JsonObject {
  return parts.some((one) => isLimited(one)) ? told({ destination_cluster: {} }) : {};
}
