/** What an Envoy thinks of each instance, from its admin's list of clusters. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--clusters */
import { hostPort } from '../model/address.ts';

interface ClusterStatuses {
  readonly cluster_statuses?: readonly {
    readonly name: string;
    readonly host_statuses?: readonly {
      readonly address?: { readonly socket_address?: { readonly address: string; readonly port_value: number } };
      readonly health_status?: {
        readonly failed_active_health_check?: boolean;
        readonly failed_outlier_check?: boolean;
        readonly pending_active_hc?: boolean;
      };
    }[];
  }[];
}

/**
 * Addresses (`ip:port`) of all endpoints that the Envoy has an opinion of, with a sentence for those that it finds ill; '' for the others.
 * One that some cluster has yet to check is left out: until its first check is good, that cluster sends it nothing.
 */
export function opinionsIn(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const pending = new Set<string>();
  const { cluster_statuses: clusters = [] } = JSON.parse(text) as ClusterStatuses;
  for (const { host_statuses: hosts = [] } of clusters) {
    for (const { address, health_status: health } of hosts) {
      const socket = address?.socket_address;
      if (socket === undefined) continue;
      const upstream = hostPort(socket.address, socket.port_value);
      const ill =
        health?.failed_active_health_check === true && health.pending_active_hc !== true
          ? 'the gateway sends it no new sessions: its own health check fails'
          : health?.failed_outlier_check === true
            ? 'the gateway sends it no new sessions: too many of its requests failed'
            : '';
      if (health?.pending_active_hc === true) pending.add(upstream);
      // One of several clusters that finds it ill is worth telling.
      if (ill !== '' || !found.has(upstream)) found.set(upstream, ill);
    }
  }
  for (const upstream of pending) if (found.get(upstream) === '') found.delete(upstream);
  return found;
}
