/**
 * The shipped API files are older than Envoy 1.40. These are the fields of it that we use and they lack, with the numbers that the
 * descriptors within the Envoy binary tell.
 */
import protobuf from 'protobufjs';

type NewField = readonly [name: string, number: number, type: string, rule?: 'repeated'];

const NEW_TYPES: Readonly<Record<string, readonly NewField[]>> = {
  'envoy.config.common.mutation_rules.v3.HeaderMutation.RemoveOnMatch': [
    ['key_matcher', 1, 'envoy.type.matcher.v3.StringMatcher'],
  ],
  'envoy.config.route.v3.CookieMatcher': [
    ['name', 1, 'string'],
    ['string_match', 2, 'envoy.type.matcher.v3.StringMatcher'],
    ['invert_match', 3, 'bool'],
  ],
  'envoy.extensions.http.original_ip_detection.xff.v3.XffTrustedCidrs': [
    ['cidrs', 1, 'envoy.config.core.v3.CidrRange', 'repeated'],
  ],
};

const NEW_FIELDS: Readonly<Record<string, readonly NewField[]>> = {
  // Several health checks in one cluster need names.
  'envoy.config.core.v3.HealthCheck': [['name', 27, 'string']],
  'envoy.config.common.mutation_rules.v3.HeaderMutation': [
    ['remove_on_match', 3, 'envoy.config.common.mutation_rules.v3.HeaderMutation.RemoveOnMatch'],
  ],
  'envoy.config.route.v3.RouteMatch': [['cookies', 17, 'envoy.config.route.v3.CookieMatcher', 'repeated']],
  'envoy.config.route.v3.WeightedCluster': [['use_hash_policy', 5, 'google.protobuf.BoolValue']],
  'envoy.extensions.http.original_ip_detection.xff.v3.XffConfig': [
    ['xff_trusted_cidrs', 2, 'envoy.extensions.http.original_ip_detection.xff.v3.XffTrustedCidrs'],
    ['skip_xff_append', 3, 'google.protobuf.BoolValue'],
  ],
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit': [
    ['rate_limits', 17, 'envoy.config.route.v3.RateLimit', 'repeated'],
    ['max_dynamic_descriptors', 18, 'google.protobuf.UInt32Value'],
  ],
  'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext': [
    ['auto_host_sni', 6, 'bool'],
    ['auto_sni_san_validation', 7, 'bool'],
  ],
  'envoy.extensions.filters.http.lua.v3.LuaPerRoute': [['filter_context', 4, 'google.protobuf.Struct']],
};

function addFields(type: protobuf.Type, fields: readonly NewField[]): void {
  for (const [name, number, kind, rule] of fields) type.add(new protobuf.Field(name, number, kind, rule));
}

/** To be called on a resolved root: what is added is resolved here. */
export function addNewer(root: protobuf.Root): void {
  const added: protobuf.Type[] = [];
  for (const [fullName, fields] of Object.entries(NEW_TYPES)) {
    const dot = fullName.lastIndexOf('.');
    const type = new protobuf.Type(fullName.slice(dot + 1));
    const parent = root.lookup(fullName.slice(0, dot));
    if (!(parent instanceof protobuf.Namespace)) throw new Error(`there is no ${fullName.slice(0, dot)}`);
    addFields(type, fields);
    parent.add(type);
    added.push(type);
  }
  for (const [fullName, fields] of Object.entries(NEW_FIELDS)) {
    const type = root.lookupType(fullName);
    addFields(type, fields);
    added.push(type);
  }
  for (const type of added) for (const field of type.fieldsArray) field.resolve();
}
