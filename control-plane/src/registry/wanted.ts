/** How many instances a service wants now, by the newest view. */
import { wantedInstances } from '../model/autoscale.ts';
import type { Service } from '../model/service.ts';
import type { RegistryView } from './registry.ts';

export function wantedOf(view: RegistryView, service: Service): number {
  return wantedInstances(service, view.scales.get(service.name)?.value);
}
