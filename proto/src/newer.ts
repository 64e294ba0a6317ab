/**
 * The shipped API files are older than Envoy 1.40. These are the fields of it that we use and they lack, with the numbers that the
 * descriptors within the Envoy binary tell.
 */
import protobuf from 'protobufjs';

export function addNewer(root: protobuf.Root): void {
  const { Field, Type } = protobuf;
  // Several health checks in one cluster need names.
  root.lookupType('envoy.config.core.v3.HealthCheck').add(new Field('name', 27, 'string'));

  root
    .lookupType('envoy.config.common.mutation_rules.v3.HeaderMutation')
    .add(new Type('RemoveOnMatch').add(new Field('key_matcher', 1, 'envoy.type.matcher.v3.StringMatcher')))
    .add(new Field('remove_on_match', 3, 'RemoveOnMatch'));

  root.define('envoy.config.route.v3').add(
    new Type('CookieMatcher')
      .add(new Field('name', 1, 'string'))
      .add(new Field('string_match', 2, 'envoy.type.matcher.v3.StringMatcher'))
      .add(new Field('invert_match', 3, 'bool')),
  );
  root
    .lookupType('envoy.config.route.v3.RouteMatch')
    .add(new Field('filter_state', 16, 'envoy.type.matcher.v3.FilterStateMatcher', 'repeated'))
    .add(new Field('cookies', 17, 'CookieMatcher', 'repeated'));

  root
    .define('envoy.type.matcher.v3')
    .add(new Type('AddressMatcher').add(new Field('ranges', 1, 'xds.core.v3.CidrRange', 'repeated')));
  root
    .lookupType('envoy.type.matcher.v3.FilterStateMatcher')
    .add(new Field('address_match', 3, 'envoy.type.matcher.v3.AddressMatcher'));

  root
    .lookupType('envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit')
    .add(new Field('rate_limits', 17, 'envoy.config.route.v3.RateLimit', 'repeated'))
    .add(new Field('max_dynamic_descriptors', 18, 'google.protobuf.UInt32Value'));
}
