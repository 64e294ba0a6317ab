/** The question to the control plane before a session is opened, for a route to a service that asks for it. */
import type { JsonObject } from '../routing/policy.ts';
import { FILTER_TYPES, SLOT } from './filters.ts';

/** For a route's typed_per_filter_config. */
export function admissionOfRoute(service: string, asks: boolean): JsonObject {
  if (!asks) return {};
  return {
    [SLOT.admission]: {
      '@type': `${FILTER_TYPES.authorization}PerRoute`,
      check_settings: { context_extensions: { service } },
    },
  };
}
