/**
 * Routes that take a prefix off, or put another in its place: the agent knows nothing of it, so it is told (X-Forwarded-Prefix), and what its answer
 * says of its own paths gets the prefix back: Location, Content-Location, the Path of cookies. A script within Envoy does that, for plain HTTP
 * alone: browsers follow no redirect of a handshake, which would pay for it with a fifth of its cost.
 */
import { readFileSync } from 'node:fs';
import type { RouteSpec } from '../model/route.ts';
import type { JsonObject } from '../routing/policy.ts';
import { FILTER_CONFIG, FILTER_TYPES, SLOT } from './filters.ts';

const SCRIPT = readFileSync(new URL('prefix.lua', import.meta.url), 'utf8');

/** The script, passed over for upgrade requests. */
export const PREFIX_FILTER: JsonObject = {
  '@type': FILTER_TYPES.matched,
  extension_config: {
    name: 'script',
    typed_config: { '@type': FILTER_TYPES.lua, default_source_code: { inline_string: SCRIPT } },
  },
  xds_matcher: {
    matcher_list: {
      matchers: [
        {
          predicate: {
            single_predicate: {
              input: {
                name: 'upgrade',
                typed_config: {
                  '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput',
                  header_name: 'upgrade',
                },
              },
              value_match: { exact: 'websocket', ignore_case: true },
            },
          },
          on_match: {
            action: {
              name: 'skip',
              typed_config: {
                '@type': 'type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter',
              },
            },
          },
        },
      ],
    },
  },
};

/** For the virtual host: routes say no more than their metadata. */
export const PREFIX_SLOT: JsonObject = { [SLOT.prefix]: { '@type': FILTER_CONFIG, config: {} } };
export const FORWARDED_PREFIX = {
  header: { key: 'x-forwarded-prefix', value: `%METADATA(ROUTE:${SLOT.prefix}:stripped)%` },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
};

const withoutSlash = (path: string): string => path.replace(/\/+$/, '');

/** What of a route's paths changes on the way to the agent, as its metadata. */
export function prefixOfRoute({ match: { path }, rewrite }: Pick<RouteSpec, 'match' | 'rewrite'>): JsonObject {
  if (rewrite === undefined || path === undefined || !('prefix' in path)) return {};
  const [from, to] = [withoutSlash(rewrite), withoutSlash(path.prefix)];
  if (from === to) return {};
  return { metadata: { filter_metadata: { [SLOT.prefix]: from === '' ? { stripped: to } : { from, to } } } };
}
