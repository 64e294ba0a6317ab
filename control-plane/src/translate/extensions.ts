/** Filters of the listener whose configuration comes by ECDS. Each is always there: one that were missing would be an error to Envoy. */
import type { FleetService } from '../model/fleet.ts';
import type { JsonObject } from '../routing/policy.ts';
import { PREFIX_FILTER } from './prefix.ts';
import { affinityFilter, bindsToInstance } from './affinity.ts';
import { FILTER_TYPES, SLOT } from './filters.ts';
import type { TranslateOptions } from './options.ts';
import { isLimited, rateLimitFilter } from './rate-limit.ts';

export interface Extension {
  readonly name: string;
  readonly typed_config: JsonObject;
}

/** In slots that nothing uses yet. */
const NO_SCRIPT = { '@type': FILTER_TYPES.lua };

/** Most services have no part in them: a change of one of those makes nothing anew. */
export const hasPart = ({ gateway: { affinity, limits } }: FleetService): boolean =>
  bindsToInstance(affinity) || isLimited(limits);

export function extensions(services: readonly FleetService[], options: TranslateOptions): Extension[] {
  return [
    { name: SLOT.affinity, typed_config: affinityFilter(services, options.instanceToken) },
    ...[SLOT.token, SLOT.lease, SLOT.extension, SLOT.frames].map((name) => ({
      name,
      typed_config: NO_SCRIPT,
    })),
    { name: SLOT.prefix, typed_config: PREFIX_FILTER },
    { name: SLOT.rateLimit, typed_config: rateLimitFilter(services) },
    { name: SLOT.jwt, typed_config: { '@type': FILTER_TYPES.jwt } },
  ];
}
