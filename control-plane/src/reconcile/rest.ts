/** Whether what is to be done can change by time alone, in this view: if not, it is looked at again only when something changes. Pure. */
import type { Instance } from '../model/instance.ts';
import { isActive } from '../model/rollout.ts';
import type { RegistryView } from '../registry/registry.ts';

/** Lost leases, and what changes by time alone, are found at least this often. */
export const SLOWEST_LOOK_MS = 1_000;
/** A fleet at rest is looked through all the same, for changes that nobody told of. */
export const LONGEST_REST_MS = 30_000;

/** What has left the name is drained when this is ready, or some time later. */
const isNewToName = ({ hostname, state }: Instance): boolean =>
  hostname !== undefined && (state === 'unknown' || state === 'failed');

export function changesWithTime(view: RegistryView): boolean {
  return (
    [...view.rollouts.values()].some(({ value }) => isActive(value)) ||
    [...view.services.values()].some(({ value }) => value.spec.maxAge !== undefined) ||
    [...view.instances.values()].some(
      ({ value }) => value.drain !== undefined || value.reason === 'Missing' || isNewToName(value),
    )
  );
}
