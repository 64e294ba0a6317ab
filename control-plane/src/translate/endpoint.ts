/** The instances of a service as Envoy's endpoints. */
import { isIP } from 'node:net';
import type { FleetInstance, FleetService } from '../model/fleet.ts';
import type { Problem } from './options.ts';

const HEALTH = { healthy: 'HEALTHY', degraded: 'DEGRADED', draining: 'DRAINING', unhealthy: 'UNHEALTHY' } as const;

function endpoint(instance: FleetInstance, weight: number | undefined): object {
  const tags = Object.keys(instance.tags).length === 0 ? {} : { 'envoy.lb': instance.tags };
  return {
    endpoint: { address: { socket_address: { address: instance.host, port_value: instance.port } } },
    health_status: HEALTH[instance.health],
    metadata: { filter_metadata: { switchboard: { instance: instance.id, version: instance.version }, ...tags } },
    ...(weight === undefined ? {} : { load_balancing_weight: weight }),
  };
}

export function endpoints(
  service: FleetService,
  weights: ReadonlyMap<string, number> | undefined,
): { resource: object; problems: Problem[] } {
  const problems: Problem[] = [];
  const byZone = new Map<string, object[]>();
  for (const instance of service.instances) {
    if (isIP(instance.host) === 0) {
      problems.push({ kind: 'Instance', name: instance.id, message: `its host ${instance.host} is not an IP address` });
      continue;
    }
    const list = byZone.get(instance.zone) ?? [];
    list.push(endpoint(instance, weights?.get(instance.id)));
    byZone.set(instance.zone, list);
  }
  const localities = [...byZone]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([zone, list]) => ({ locality: { zone }, lb_endpoints: list }));
  return { resource: { cluster_name: service.name, endpoints: localities }, problems };
}
