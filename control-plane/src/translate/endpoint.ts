/** The instances of a service as Envoy's endpoints. */
import { isIP } from 'node:net';
import type { FleetInstance, FleetService } from '../model/fleet.ts';
import type { PolicyFragment } from '../routing/policy.ts';
import type { Problem } from './options.ts';
import { hostnameOf, socketOf } from './agent-tls.ts';
import { versionOfEndpoint } from './versions.ts';

const HEALTH = { healthy: 'HEALTHY', degraded: 'DEGRADED', draining: 'DRAINING', unhealthy: 'UNHEALTHY' } as const;

function endpoint(instance: FleetInstance, weight: number | undefined, closed: boolean): object {
  return {
    endpoint: {
      address: { socket_address: { address: instance.host, port_value: instance.port } },
      ...hostnameOf(instance),
    },
    // Closed to new sessions like one that drains: those it has stay.
    health_status: closed && instance.health === 'healthy' ? HEALTH.draining : HEALTH[instance.health],
    metadata: {
      filter_metadata: {
        switchboard: { instance: instance.id, version: instance.version },
        ...socketOf(instance),
        'envoy.lb': { ...instance.tags, ...versionOfEndpoint(instance.version) },
      },
    },
    ...(weight === undefined ? {} : { load_balancing_weight: weight }),
  };
}

/** Envoy wants priorities without a gap. */
function priorities(levels: PolicyFragment['levels']): (id: string) => number {
  const present = [...new Set(levels?.values() ?? [])].sort((a, b) => a - b);
  return (id) => Math.max(0, present.indexOf(levels?.get(id) ?? 0));
}

/** A level takes everything as long as one instance of it can; by default Envoy would spill over when three in ten can not. */
const NO_SPILL = { overprovisioning_factor: 100_000 };

export function endpoints(
  service: FleetService,
  { weights, levels }: Pick<PolicyFragment, 'weights' | 'levels'>,
  closed: ReadonlySet<string>,
): { resource: object; problems: Problem[] } {
  const problems: Problem[] = [];
  const priorityOf = priorities(levels);
  const groups = new Map<string, { priority: number; zone: string; list: object[] }>();
  for (const instance of service.instances) {
    const { id, host, zone } = instance;
    if (isIP(host) === 0) {
      problems.push({ kind: 'Instance', name: id, message: `its host ${host} is not an IP address` });
      continue;
    }
    const priority = priorityOf(id);
    const key = `${String(priority).padStart(3, '0')}/${zone}`;
    const group = groups.get(key) ?? { priority, zone, list: [] };
    group.list.push(endpoint(instance, weights?.get(id), closed.has(id)));
    groups.set(key, group);
  }
  const localities = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { priority, zone, list }]) => ({
      locality: { zone },
      lb_endpoints: list,
      ...(priority === 0 ? {} : { priority }),
    }));
  return {
    resource: {
      cluster_name: service.name,
      endpoints: localities,
      ...(levels === undefined ? {} : { policy: NO_SPILL }),
    },
    problems,
  };
}
