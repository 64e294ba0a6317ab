/**
 * The HTTP filters of the listener, in their order. They stand in it from the first day, since one more would change its bytes and end
 * every session: each is disabled, costs next to nothing so, and is enabled by a route (typed_per_filter_config). What can't be
 * configured on a route comes by ECDS. Never reorder, rename or remove one.
 *
 * Most of what is to come needs no slot of its own: a `chain` is empty until a route puts any filters into it. What keeps state (buckets, keys
 * that were fetched, a Lua VM) must not stand in a route, since any change of any route makes it anew: that comes by ECDS.
 */
import { CLIENT_ADDRESS } from '../model/gateway.ts';
import type { JsonObject } from '../routing/policy.ts';
import type { TranslateOptions } from './options.ts';

const FILTERS = 'type.googleapis.com/envoy.extensions.filters.http';

export const FILTER_TYPES = {
  headerMutation: `${FILTERS}.header_mutation.v3.HeaderMutation`,
  rbac: `${FILTERS}.rbac.v3.RBAC`,
  cors: `${FILTERS}.cors.v3.Cors`,
  jwt: `${FILTERS}.jwt_authn.v3.JwtAuthentication`,
  apiKey: `${FILTERS}.api_key_auth.v3.ApiKeyAuth`,
  rateLimit: `${FILTERS}.local_ratelimit.v3.LocalRateLimit`,
  authorization: `${FILTERS}.ext_authz.v3.ExtAuthz`,
  setFilterState: `${FILTERS}.set_filter_state.v3.Config`,
  headerToMetadata: `${FILTERS}.header_to_metadata.v3.Config`,
  lua: `${FILTERS}.lua.v3.Lua`,
  matched: 'type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher',
  chain: `${FILTERS}.filter_chain.v3.FilterChainConfig`,
  statefulSession: `${FILTERS}.stateful_session.v3.StatefulSession`,
  router: `${FILTERS}.router.v3.Router`,
} as const;

/** In typed_per_filter_config: enables the slot, with `config: {}` as it is. */
export const FILTER_CONFIG = 'type.googleapis.com/envoy.config.route.v3.FilterConfig';

/** Names of the slots: the keys of typed_per_filter_config, and of the resources that come by ECDS. */
export const SLOT = {
  underscores: 'underscores',
  headers: 'headers',
  clientIp: 'client-ip',
  origin: 'origin',
  cors: 'cors',
  edge: 'edge',
  token: 'token',
  jwt: 'jwt',
  apiKey: 'api-key',
  identity: 'identity',
  lease: 'lease',
  rateLimit: 'rate-limit',
  limits: 'limits',
  admission: 'admission',
  tags: 'tags',
  extension: 'extension',
  leash: 'leash',
  affinity: 'affinity',
  stickiness: 'stickiness',
  prefix: 'prefix',
  frames: 'frames',
} as const;

/** Set inside Envoy, never by a client: the address (base64) that a session is bound to, and why a request was refused. */
export const HOST_HEADER = 'x-switchboard-host';
export const REFUSED_HEADER = 'x-switchboard-refused';
/** With `as-is`, an answer of Envoy's keeps the body that a filter gave it, whatever its form. */
export const ANSWER_HEADER = 'x-switchboard-answer';
/** What a client asks the old way in for, as parameters or as headers. */
export const SERVICE_HEADER = 'x-switchboard-service';
export const TAGS_HEADER = 'x-switchboard-tags';
export const HINT_HEADER = 'x-switchboard-hint';
/** The client's own key as a header, also where it has written it with an underscore. Envoy hashes by it after it has removed what is ours. */
export const SESSION_HEADER = 'session-id';
/** The client's own X-Request-ID, until it is put back for the agent. */
export const ASKED_ID_HEADER = 'x-switchboard-request-id';
export const HEADERS_OF_OURS = [HOST_HEADER, ANSWER_HEADER, SERVICE_HEADER, TAGS_HEADER, HINT_HEADER, ASKED_ID_HEADER];
/**
 * Values of the request that records carry: its id, since the header of that name is the client's own again once the agent has it, and its path
 * as the client has sent it.
 */
export const SESSION_ID = 'switchboard.session';
export const SENT_PATH = 'switchboard.path';
/** Longer than the longest hold: what is held is answered by us, not by Envoy's clock. */
const ADMISSION_S = 610;

const slot = (name: string, type: string, config: JsonObject = {}): JsonObject => ({
  name,
  disabled: true,
  typed_config: { '@type': type, ...config },
});

/** The npm package's protos lack some filters: their types go as a structure that Envoy reads itself. */
const unshipped = (name: string, type: string): JsonObject =>
  slot(name, 'type.googleapis.com/xds.type.v3.TypedStruct', { type_url: type });

/** Empty, until a route puts filters into it. */
const chain = (name: string): JsonObject => unshipped(name, FILTER_TYPES.chain);

/** The configuration comes as a resource of that name; until then the filter does nothing, and the listener does not wait. */
const discovered = (name: string, types: readonly string[], initial: JsonObject = {}): JsonObject => ({
  name,
  disabled: true,
  config_discovery: {
    config_source: { ads: {}, resource_api_version: 'V3' },
    default_config: { '@type': types[0], ...initial },
    apply_default_config_without_warming: true,
    type_urls: types,
  },
});

/**
 * A held request survives a restart of the control plane: the check is sent again. Envoy takes the longest back-off for the time that one
 * try may take, unless a header says otherwise (https://github.com/envoyproxy/envoy/issues/38847): it would ask anew each second.
 */
function admission(options: TranslateOptions): JsonObject {
  return {
    transport_api_version: 'V3',
    status_on_error: { code: 'ServiceUnavailable' },
    grpc_service: {
      envoy_grpc: {
        cluster_name: options.controlPlaneCluster,
        retry_policy: { retry_back_off: { base_interval: '0.1s', max_interval: '1s' } },
      },
      timeout: `${ADMISSION_S}s`,
      initial_metadata: [
        { key: 'x-envoy-upstream-rq-per-try-timeout-ms', value: String(ADMISSION_S * 1_000) },
        // Of its own it tells the peer of the connection, which may be a proxy.
        { key: CLIENT_ADDRESS, value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' },
      ],
      retry_policy: {
        num_retries: 100,
        retry_on: 'unavailable,connect-failure,reset',
        retry_back_off: { base_interval: '0.1s', max_interval: '1s' },
      },
    },
  };
}

const kept = (key: string, format: string): JsonObject => ({
  object_key: key,
  factory_key: 'envoy.string',
  format_string: { text_format_source: { inline_string: format } },
});

export function httpFilters(options: TranslateOptions): JsonObject[] {
  return [
    {
      name: 'as-sent',
      typed_config: {
        '@type': FILTER_TYPES.setFilterState,
        on_request_headers: [kept(SESSION_ID, '%REQ(x-request-id)%'), kept(SENT_PATH, '%REQ(:path)%')],
      },
    },
    // Some servers take such names for those with a hyphen, which a client could use to pretend. A service that wants them disables this one.
    {
      name: SLOT.underscores,
      typed_config: {
        '@type': FILTER_TYPES.headerMutation,
        mutations: { request_mutations: [{ remove_on_match: { key_matcher: { contains: '_' } } }] },
      },
    },
    // What later filters read is made first: tokens and tags from query parameters.
    slot(SLOT.headers, FILTER_TYPES.headerMutation),
    // Who may come at all, cheapest first.
    slot(SLOT.clientIp, FILTER_TYPES.rbac),
    slot(SLOT.origin, FILTER_TYPES.rbac),
    slot(SLOT.cors, FILTER_TYPES.cors),
    chain(SLOT.edge),
    // Takes a token out of where a browser can put one: Sec-WebSocket-Protocol.
    discovered(SLOT.token, [FILTER_TYPES.lua]),
    // Who it is. Providers are the filter's own, so they come by ECDS; a route names the requirement.
    discovered(SLOT.jwt, [FILTER_TYPES.jwt]),
    unshipped(SLOT.apiKey, FILTER_TYPES.apiKey),
    chain(SLOT.identity),
    // Ends a session with the token that it came with.
    discovered(SLOT.lease, [FILTER_TYPES.lua]),
    // How many may come: after the identity, so that a limit can count by it.
    discovered(SLOT.rateLimit, [FILTER_TYPES.rateLimit], { stat_prefix: 'sessions' }),
    chain(SLOT.limits),
    // Asks the control plane, for services that say so: a place is found, or waited for.
    slot(SLOT.admission, FILTER_TYPES.authorization, admission(options)),
    // Which instance it is to be.
    slot(SLOT.tags, FILTER_TYPES.headerToMetadata, {
      request_rules: [
        {
          header: 'x-switchboard-tag',
          on_header_present: { metadata_namespace: 'envoy.lb', key: 'tag' },
          remove: true,
        },
      ],
    }),
    // For what an operator brings.
    discovered(SLOT.extension, [
      FILTER_TYPES.lua,
      `${FILTERS}.ext_proc.v3.ExternalProcessor`,
      `${FILTERS}.wasm.v3.Wasm`,
      FILTER_TYPES.chain,
    ]),
    // Ends one session at will.
    chain(SLOT.leash),
    discovered(SLOT.affinity, [FILTER_TYPES.lua]),
    slot(SLOT.stickiness, FILTER_TYPES.statefulSession),
    // Puts back the prefix that a route has taken off, into what an agent's answer says of its own paths.
    discovered(SLOT.prefix, [FILTER_TYPES.lua, FILTER_TYPES.matched]),
    // Reads the frames of sessions, as the agent sends and gets them: after all that may refuse one or change its bytes.
    discovered(SLOT.frames, [FILTER_TYPES.lua]),
    {
      name: 'envoy.filters.http.router',
      // Timings that Envoy tells of itself are neither the agent's nor the client's business.
      typed_config: { '@type': FILTER_TYPES.router, suppress_envoy_headers: true },
    },
  ];
}
