/** Whether what is to be done can change by time alone, in this view: if not, it is looked at again only when something changes. Pure. */
import type { Instance } from '../model/instance.ts';
import { isActive } from '../model/rollout.ts';
import type { RegistryView } from '../registry/registry.ts';

/** What has left the name is drained when this is ready, or some time later. */
const isNewToName = ({ hostname, state }: Instance): boolean => hostname !== undefined && state === 'unknown';

export function changesWithTime(view: RegistryView): boolean {
  return (
    [...view.rollouts.values()].some(({ value }) => isActive(value)) ||
    [...view.services.values()].some(({ value }) => value.spec.maxAge !== undefined) ||
    [...view.instances.values()].some(({ value }) => value.drain !== undefined || isNewToName(value))
  );
}
