import { describe, expect, it } from 'vitest';
import { whyRefused } from './refusal.ts';

describe('why an upgrade became no session', () => {
  it.each([
    ['no_route', 404, {}, 'direct_response'],
    ['no_route', 404, { no_route_found: true }, 'route_not_found'],
    ['no_instance', 503, { no_healthy_upstream: true }, 'no_healthy_upstream'],
    ['unreachable', 503, { upstream_connection_failure: true }, 'upstream_reset_before_response_started'],
    ['full', 503, { upstream_overflow: true }, 'overflow'],
    ['timeout', 504, { upstream_request_timeout: true }, 'response_timeout'],
    ['refused', 426, {}, 'via_upstream'],
    ['unauthorized', 401, {}, 'jwt_authn_access_denied'],
    ['rate_limited', 429, {}, 'local_rate_limited'],
    ['bad_request', 400, {}, 'low_version'],
    ['client_gone', 0, { downstream_connection_termination: true }, 'downstream_remote_disconnect'],
    ['other', 500, {}, ''],
  ] as const)('%s: %i %j %s', (cause, status, flags, details) => {
    expect(whyRefused(status, flags, details)).toBe(cause);
  });
});
