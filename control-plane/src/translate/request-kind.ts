/**
 * Handshakes and plain HTTP take the same routes, which would cost Envoy twice as much with one for each kind. What differs is set as the headers
 * that Envoy's router reads and takes away (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter). By the time of
 * this filter only an upgrade request has an `upgrade` header. A formatter gives nothing for a header that is absent, and nothing is not added.
 */
import { PlainHttp } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { JsonObject } from '../routing/policy.ts';
import { FILTER_TYPES, SLOT } from './filters.ts';

const set = (key: string, value: string, append_action = 'OVERWRITE_IF_EXISTS_OR_ADD'): object => ({
  append: { header: { key, value }, append_action },
});
const forHandshakes = (key: string, value: string): object[] => [
  set(key, '%REQ(upgrade)%'),
  set(key, value, 'OVERWRITE_IF_EXISTS'),
];
/** For a handshake it is no number, which the router passes over: what the route says holds. */
const forPlain = (key: string, milliseconds: number, append_action?: string): object =>
  set(key, `%REQ(upgrade)%${milliseconds}`, append_action);

/** Changes of the request's headers, in the one slot that there is for them. */
export const mutation = (request_mutations: readonly object[]): JsonObject =>
  request_mutations.length === 0
    ? {}
    : { [SLOT.headers]: { '@type': `${FILTER_TYPES.headerMutation}PerRoute`, mutations: { request_mutations } } };

const FIRST_BYTE = 'x-envoy-upstream-rq-per-try-timeout-ms';
const firstByteMs = ({ responseTimeout }: PlainHttp): number =>
  responseTimeout === 'off' ? 0 : durationMs(responseTimeout);

const USUAL = firstByteMs(PlainHttp.parse({}));

/** For the virtual host's typed_per_filter_config. */
export const BY_KIND = mutation([
  // What an instance has received and died of, or refused, goes to one other. One that is slow stays where it is, and is made at another too.
  ...forHandshakes('x-envoy-retry-on', 'reset,retriable-status-codes'),
  ...forHandshakes('x-envoy-max-retries', '1'),
  ...forHandshakes('x-envoy-hedge-on-per-try-timeout', 'true'),
  // Plain HTTP: no limit on the whole answer. A route's own mutations come before these.
  forPlain('x-envoy-upstream-rq-timeout-ms', 0),
  forPlain(FIRST_BYTE, USUAL, 'ADD_IF_ABSENT'),
]);

/** Mutations of a route. */
export function plainTimesOfRoute(http: PlainHttp | undefined): object[] {
  const milliseconds = http === undefined ? USUAL : firstByteMs(http);
  return milliseconds === USUAL ? [] : [forPlain(FIRST_BYTE, milliseconds)];
}
