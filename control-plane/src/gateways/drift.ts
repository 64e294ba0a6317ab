/** Envoy's own view against what it has acknowledged and what the registry wants. Pure: the loop around it is watch-drift.ts. */
import { decode } from '@switchboard/proto';
import { hostPort } from '../model/address.ts';
import type { Drift } from '../model/gateway.ts';
import type { TypeConfig } from '../xds/status.ts';

/** What Envoy tells of itself, as much of it as is cheap to ask for. */
export interface EnvoyFacts {
  /** By short name of the type: versions by name of the resource; '' where Envoy tells none. */
  readonly versions: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** By cluster: `address:port` to what Envoy thinks of its health. */
  readonly endpoints: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly warming: readonly string[];
}

interface AssignmentJson {
  readonly endpoints?: readonly {
    readonly lb_endpoints?: readonly {
      readonly health_status?: string;
      readonly endpoint?: {
        readonly address?: { readonly socket_address?: { readonly address?: string; readonly port_value?: number } };
      };
    }[];
  }[];
}

export function endpointsIn(assignment: unknown): Map<string, string> {
  const found = new Map<string, string>();
  for (const { lb_endpoints: hosts = [] } of (assignment as AssignmentJson).endpoints ?? [])
    for (const { endpoint, health_status: health = 'UNKNOWN' } of hosts) {
      const { address = '', port_value: port = 0 } = endpoint?.address?.socket_address ?? {};
      found.set(hostPort(address, port), health);
    }
  return found;
}

/** Decoding is the dear part, and bodies are kept as long as they do not change. */
const decoded = new WeakMap<Uint8Array, Map<string, string>>();

function wantedEndpoints(body: Uint8Array): Map<string, string> {
  let known = decoded.get(body);
  if (known === undefined) {
    known = endpointsIn(decode('envoy.config.endpoint.v3.ClusterLoadAssignment', body));
    decoded.set(body, known);
  }
  return known;
}

/** Envoy tells a host that was sent as DRAINING as UNHEALTHY: either way it gets no new session. */
const asToldByEnvoy = (health: string): string => (health === 'DRAINING' ? 'UNHEALTHY' : health);

function endpointDrift(wanted: Uint8Array, has: ReadonlyMap<string, string> | undefined): string | undefined {
  const want = wantedEndpoints(wanted);
  if (has === undefined) return want.size === 0 ? undefined : 'Envoy has no endpoints of it';
  const missing = [...want.keys()].filter((address) => !has.has(address));
  const extra = [...has.keys()].filter((address) => !want.has(address));
  // Envoy's own check may find one unhealthy that the registry takes for well: its sessions go elsewhere, which somebody should know.
  const other = [...want].filter(([address, health]) => {
    const there = has.get(address);
    if (there === undefined || there === 'UNKNOWN' || health === 'UNKNOWN') return false;
    return asToldByEnvoy(there) !== asToldByEnvoy(health);
  });
  const parts = [
    ...(missing.length > 0 ? [`Envoy lacks ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`Envoy still has ${extra.join(', ')}`] : []),
    ...other.map(([address, health]) => `${address} is ${health} here and ${has.get(address) ?? ''} for Envoy`),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** Types of which Envoy tells names. Clusters and listeners are all ours; the others are only asked for by name. */
const COMPARED = ['cds', 'lds', 'rds', 'ecds'];

/** In state of the world Envoy tells the version of the whole response, which is no resource's. */
export function driftOf(configs: readonly TypeConfig[], variant: 'sotw' | 'delta', envoy: EnvoyFacts): Drift[] {
  const found: Drift[] = [];
  for (const { short, resources } of configs) {
    const there = envoy.versions.get(short);
    if (short === 'eds') {
      for (const { name, state, wanted } of resources) {
        const message =
          state === 'SYNCED' && wanted !== undefined ? endpointDrift(wanted, envoy.endpoints.get(name)) : undefined;
        if (message !== undefined) found.push({ type: short, name, message });
      }
      continue;
    }
    if (!COMPARED.includes(short) || there === undefined) continue;
    const known = new Set(resources.map(({ name }) => name));
    for (const name of there.keys())
      if (!known.has(name)) found.push({ type: short, name, message: 'Envoy still has it, and it is gone here' });
    for (const { name, acked, version } of resources) {
      const has = there.get(name);
      // Not acknowledged: a push is on its way, or was refused, which is told elsewhere.
      if (acked === '' || version === '') continue;
      if (has === undefined)
        found.push({ type: short, name, message: 'Envoy has acknowledged it and does not have it' });
      else if (variant === 'delta' && has !== '' && has !== acked)
        found.push({ type: short, name, message: `Envoy has acknowledged version ${acked} and runs ${has}` });
    }
  }
  return found;
}
