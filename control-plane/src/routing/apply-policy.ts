/** A policy is somebody's code: what it throws or gives that makes no sense stays here, and the service goes on as it was. */
import type { FleetInstance } from '../model/fleet.ts';
import { messageOf } from '../model/errors.ts';
import type { PolicyContext, PolicyFragment, RoutingPolicy } from './policy.ts';

const HEAVIEST = 1_000_000;

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function whole(what: string, entries: ReadonlyMap<string, unknown> | undefined, from: number, most: number): void {
  for (const [id, value] of entries ?? [])
    if (!Number.isInteger(value) || (value as number) < from || (value as number) > most)
      throw new Error(`its ${what} of ${id} is ${String(value)}: it must be a whole number from ${from} to ${most}`);
}

/** Throws with a sentence when a fragment is not one. */
export function checkFragment(fragment: PolicyFragment): PolicyFragment {
  if (!isObject(fragment) || !isObject(fragment.cluster)) throw new Error('it gives no cluster fragment');
  if (fragment.route !== undefined && !isObject(fragment.route)) throw new Error('its route fragment is no object');
  if (fragment.cluster['name'] !== undefined || fragment.route?.['cluster'] !== undefined)
    throw new Error('it may not name another cluster');
  for (const map of [fragment.weights, fragment.levels])
    if (map !== undefined && !(map instanceof Map)) throw new Error('its weights and levels must be maps');
  whole('weight', fragment.weights, 1, HEAVIEST);
  whole('level', fragment.levels, 0, 127);
  return fragment;
}

/** What serves when a policy has never worked: equal, by open sessions. */
const PLAIN: PolicyFragment = { cluster: { lb_policy: 'LEAST_REQUEST' } };

export interface Applied {
  readonly fragment: PolicyFragment;
  /** Why it is not the policy's own. */
  readonly problem: string | undefined;
}

export function applyPolicy(
  policy: RoutingPolicy<never> | undefined,
  { type, options }: { readonly type: string; readonly options: unknown },
  instances: readonly FleetInstance[],
  context: PolicyContext,
  lastGood: PolicyFragment | undefined,
): Applied {
  try {
    if (policy === undefined) throw new Error('there is no such policy');
    return {
      fragment: checkFragment(policy.apply(policy.options.parse(options), instances, context)),
      problem: undefined,
    };
  } catch (error) {
    const instead = lastGood === undefined ? 'least connections serve instead' : 'its last good answer is kept';
    return {
      fragment: lastGood ?? PLAIN,
      problem: `routing policy ${type} does not work: ${messageOf(error)}; ${instead}`,
    };
  }
}
