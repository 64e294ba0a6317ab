/**
 * Exact affinity: a client shows the token of the instance that holds its session, and comes to it. The token is opaque (it tells no
 * address); a script within Envoy, delivered by ECDS, knows which token is which address, and stock stateful_session takes it there:
 * so a retry goes elsewhere, an instance that is gone is passed over, and nothing depends on the control plane being up.
 */
import { readFileSync } from 'node:fs';
import { hostPort } from '../model/address.ts';
import type { FleetService } from '../model/fleet.ts';
import type { Affinity } from '../model/affinity.ts';
import { durationMs } from '../model/units.ts';
import type { JsonObject } from '../routing/policy.ts';
import { FILTER_CONFIG, FILTER_TYPES, HOST_HEADER, SLOT } from './filters.ts';

const SCRIPT = readFileSync(new URL('affinity.lua', import.meta.url), 'utf8');

export type InstanceToken = (instance: string) => string;

export const bindsToInstance = (affinity: Affinity | undefined): boolean =>
  affinity?.type === 'cookie' || affinity?.type === 'header';

/** The script with the tokens of every instance whose service keeps clients at their instance. */
export function affinityFilter(services: readonly FleetService[], tokenOf: InstanceToken): JsonObject {
  const entries = services
    .filter(({ gateway }) => bindsToInstance(gateway.affinity))
    .flatMap(({ instances }) => instances)
    .map(({ id, host, port }) => {
      return `["${tokenOf(id)}"]="${Buffer.from(hostPort(host, port)).toString('base64')}"`;
    })
    .sort();
  return {
    '@type': FILTER_TYPES.lua,
    default_source_code: { inline_string: `local host_of = {${entries.join(',')}}\n${SCRIPT}` },
  };
}

/** In a Lua pattern a hyphen has a meaning of its own. */
const pattern = (name: string): string => name.replaceAll('-', '%-');

function settings(service: string, affinity: Affinity): JsonObject | undefined {
  switch (affinity.type) {
    case 'cookie': {
      const name = affinity.name ?? `switchboard-${service.split(':')[0] ?? ''}`;
      const age = affinity.ttl === undefined ? '' : `; Max-Age=${Math.round(durationMs(affinity.ttl) / 1000)}`;
      return { cookie: name, cookie_pattern: pattern(name), attributes: `; Path=/; HttpOnly; SameSite=Lax${age}` };
    }
    case 'header':
      return { header: affinity.name, query_pattern: pattern(affinity.query) };
    case 'key':
      return undefined;
  }
}

/** For a route's typed_per_filter_config: the script and stateful_session enabled. */
export function affinityOfRoute(service: string, affinity: Affinity | undefined): JsonObject {
  const found = affinity === undefined ? undefined : settings(service, affinity);
  if (affinity === undefined || affinity.type === 'key' || found === undefined) return {};
  return {
    [SLOT.affinity]: {
      '@type': FILTER_CONFIG,
      config: {
        '@type': `${FILTER_TYPES.lua}PerRoute`,
        filter_context: { affinity: { ...found, strict: affinity.strict } },
      },
    },
    [SLOT.stickiness]: {
      '@type': `${FILTER_TYPES.statefulSession}PerRoute`,
      stateful_session: {
        strict: affinity.strict,
        session_state: {
          name: 'envoy.http.stateful_session.header',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState',
            name: HOST_HEADER,
          },
        },
      },
    },
  };
}

/** What it says on the cluster: whether an instance that drains still takes those who come back. */
export function affinityOfCluster(affinity: Affinity | undefined): JsonObject {
  const keeps = affinity !== undefined && affinity.type !== 'key' && affinity.whileDraining;
  return keeps ? { override_host_status: { statuses: ['UNKNOWN', 'HEALTHY', 'DEGRADED', 'DRAINING'] } } : {};
}
