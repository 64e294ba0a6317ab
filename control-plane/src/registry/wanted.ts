/** How many instances a service wants now, over all its versions, by the newest view. */
import type { Service } from '../model/service.ts';
import type { RegistryView } from './registry.ts';

export function wantedOf(view: RegistryView, { name, spec }: Service): number {
  const { enabled, autoscale, replicas } = spec;
  if (!enabled) return 0;
  if (autoscale === undefined) return replicas;
  // Until the autoscaler has spoken, and when its bounds were changed since.
  return Math.min(autoscale.max, Math.max(autoscale.min, view.scales.get(name)?.value.replicas ?? replicas));
}
