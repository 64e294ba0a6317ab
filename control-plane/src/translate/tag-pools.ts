/**
 * Instances by their tags, over services: for a route to `{ tags }`. Each pool is a cluster of its own, so that a new route changes none
 * of the services' clusters (a changed cluster forgets how many sessions its instances have).
 */
import type { FleetInstance, FleetRoute, FleetService, FleetView } from '../model/fleet.ts';
import type { Target } from '../model/route.ts';
import { ServiceGateway } from '../model/service.ts';
import { sameParts } from './resource.ts';
import { poolName } from './route-action.ts';

type TagTarget = Extract<Target, { tags: unknown }>;

const DEFAULTS: ServiceGateway = ServiceGateway.parse({});

function targets(routes: readonly FleetRoute[]): Map<string, TagTarget> {
  const found = new Map<string, TagTarget>();
  for (const { spec } of routes) if ('tags' in spec.target) found.set(poolName(spec.target), spec.target);
  return found;
}

export const hasTags = (instance: FleetInstance, tags: Readonly<Record<string, string>>): boolean =>
  Object.entries(tags).every(([key, value]) => instance.tags[key] === value);

/** Pools that did not change keep their identity, like services in the fleet. */
export function createTagPools(): (fleet: FleetView) => FleetService[] {
  let kept = new Map<string, FleetService>();

  function pool(name: string, target: TagTarget, services: readonly FleetService[]): FleetService {
    const of = target.service === undefined ? services : services.filter((one) => one.name === target.service);
    const gateway = target.service === undefined ? DEFAULTS : (of[0]?.gateway ?? DEFAULTS);
    const instances = of.flatMap((one) => one.instances).filter((one) => hasTags(one, target.tags));
    const old = kept.get(name);
    return old?.gateway === gateway && sameParts(old.instances, instances) ? old : { name, gateway, instances };
  }

  return ({ services, routes }) => {
    const pools = [...targets(routes)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, target]) => pool(name, target, services));
    kept = new Map(pools.map((one) => [one.name, one]));
    return pools;
  };
}
