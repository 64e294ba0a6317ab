/** Whether what is to be done can change by time alone, in this view: if not, it is looked at again only when something changes. Pure. */
import { isActive } from '../model/rollout.ts';
import type { RegistryView } from '../registry/registry.ts';

export function changesWithTime(view: RegistryView): boolean {
  return (
    [...view.rollouts.values()].some(({ value }) => isActive(value)) ||
    [...view.services.values()].some(({ value }) => value.spec.maxAge !== undefined) ||
    [...view.instances.values()].some(({ value }) => value.drain !== undefined)
  );
}
