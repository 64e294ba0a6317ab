/** What the views of services and instances show beside the registry, from what the API is given. */
import type { ApiContext } from './context.ts';
import type { Observed } from './views.ts';

export function observedBy(api: ApiContext): Observed {
  return {
    counts: api.sessionCounts(),
    health: (instance) => api.health(instance),
    signals: (instance) => api.signals(instance),
    gatewayUrl: api.gatewayUrl,
    conditions: api.conditions(),
  };
}
