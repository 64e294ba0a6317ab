/**
 * Versions beside each other. All instances of a service are one cluster, whatever their version, so that counts of sessions, limits and
 * affinity hold over all of them; a version is a subset of it by metadata. While a rollout goes on, routes share new sessions out over the subsets.
 */
import type { FleetShare } from '../model/fleet.ts';
import { versionCookie } from '../model/version-choice.ts';
import type { JsonObject } from '../routing/policy.ts';

/** Key in the endpoints' metadata; tags can not collide with it, since it is ours by its prefix. */
const VERSION_KEY = 'switchboard.version';
const LB = 'envoy.lb';

const COOKIE_LIFE_S = 86_400;

/** Stands in every cluster from the first day: a cluster that is changed forgets how many sessions its instances have. */
export const VERSION_SUBSETS: JsonObject = {
  fallback_policy: 'ANY_ENDPOINT',
  subset_selectors: [{ keys: [VERSION_KEY], fallback_policy: 'NO_FALLBACK' }],
};

export function versionOfEndpoint(version: number): JsonObject {
  return { [VERSION_KEY]: String(version) };
}

export function ofVersion(version: number): JsonObject {
  return { metadata_match: { filter_metadata: { [LB]: versionOfEndpoint(version) } } };
}

/** By the key that a client sends, if it sends one: the same key, the same version. */
export const BY_KEY: JsonObject = { hash_policy: [{ query_parameter: { name: 'session_id' } }] };

/**
 * The parts of a weighted route; weights are whole numbers, and what has none is left out. Each gives its client a cookie that names the
 * version, so that it stays with it as long as both serve: a client that keeps no cookie and sends no key is shared out anew each time.
 */
export function shared(name: string, service: string, shares: readonly FleetShare[], weight: number): JsonObject[] {
  return shares
    .filter((share) => share.weight > 0)
    .map((share) => ({
      name,
      weight: weight * share.weight,
      ...ofVersion(share.version),
      response_headers_to_add: [
        {
          header: {
            key: 'set-cookie',
            value: `${versionCookie(service)}=${share.version}; Path=/; Max-Age=${COOKIE_LIFE_S}; HttpOnly; SameSite=Lax`,
          },
          append_action: 'APPEND_IF_EXISTS_OR_ADD',
        },
      ],
    }));
}
