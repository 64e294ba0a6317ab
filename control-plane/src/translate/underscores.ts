/** Headers whose names have an underscore: the listener drops them, a service may let them pass. */
import type { ServiceGateway } from '../model/service.ts';
import type { JsonObject } from '../routing/policy.ts';
import { FILTER_CONFIG, SLOT } from './filters.ts';

/** What the gateway tells agents, and what other proxies told it, spelt with at least one underscore. */
const PRETENDERS =
  'x_(?:forwarded|request|real|envoy|client)[-_].*|x-(?:forwarded|request|real|envoy|client)[^_]*_.*|forwarded_.*';

/** For a route's typed_per_filter_config. */
export const passesUnderscores = (choice: ServiceGateway['headersWithUnderscores']): JsonObject =>
  choice === 'drop' ? {} : { [SLOT.underscores]: { '@type': FILTER_CONFIG, disabled: true } };

/** Mutations of a route. */
export const withoutPretenders = (choice: ServiceGateway['headersWithUnderscores']): object[] =>
  choice === 'drop' ? [] : [{ remove_on_match: { key_matcher: { safe_regex: { regex: PRETENDERS } } } }];
