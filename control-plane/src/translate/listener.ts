/**
 * The listeners for clients. They are written once: their bytes depend on the options alone, since any change within a filter
 * chain ends every session on it. What varies is delivered by RDS, CDS, EDS and ECDS.
 */
import { cidrRange } from '../model/cidr.ts';
import { ALL_IPV6 } from '../model/listen-host.ts';
import {
  ASKED_ID_HEADER,
  HINT_HEADER,
  SENT_PATH,
  SERVICE_HEADER,
  SESSION_HEADER,
  SESSION_ID,
  TAGS_HEADER,
  httpFilters,
} from './filters.ts';
import { HTTP1_AS_SENT } from './http1.ts';
import { LOCAL_REPLIES } from './local-replies.ts';
import { seconds, type TranslateOptions } from './options.ts';
import { CLIENT, trustedProxy, type Peer } from './peers.ts';

export const LISTENER_NAME = 'clients';
export const PROXY_PROTOCOL_NAME = 'clients-proxy-protocol';
export const ROUTES_NAME = 'clients';

const FILTERS = 'type.googleapis.com/envoy.extensions.filters';
/** A stalled reader costs about 150 KiB instead of 3 MiB, at no cost in CPU. */
const BUFFER_BYTES = 32_768;

/** A client whose wire is silent for six minutes has gone: one on a train comes back within them. */
const TCP_KEEPALIVE = [
  { description: 'SO_KEEPALIVE', level: 1, name: 9, int_value: 1, state: 'STATE_PREBIND' },
  { description: 'TCP_KEEPIDLE', level: 6, name: 4, int_value: 60, state: 'STATE_PREBIND' },
  { description: 'TCP_KEEPINTVL', level: 6, name: 5, int_value: 30, state: 'STATE_PREBIND' },
  { description: 'TCP_KEEPCNT', level: 6, name: 6, int_value: 10, state: 'STATE_PREBIND' },
];

/** Who the client is, as a value of its request: filters that know it set this, and records of the session carry it. */
export const PRINCIPAL = 'switchboard.principal';

function sessionLog(options: TranslateOptions): object {
  return {
    name: 'sessions',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
      common_config: {
        log_name: 'sessions',
        transport_api_version: 'V3',
        grpc_service: { envoy_grpc: { cluster_name: options.controlPlaneCluster } },
        buffer_flush_interval: '0.1s',
        buffer_size_bytes: 16_384,
        filter_state_objects_to_log: [PRINCIPAL, SESSION_ID, SENT_PATH],
      },
    },
  };
}

const asked = (key: string, ...values: string[]): object[] =>
  values.map((value) => ({ append: { header: { key, value }, append_action: 'ADD_IF_ABSENT' } }));

/**
 * The client's X-Request-ID, if it is one that logs and headers can bear; else nothing. Envoy writes an id of its own over it, which names the
 * session: two clients may send the same.
 */
const SANE_ID =
  "%CEL('x-request-id' in request.headers && size(request.headers['x-request-id']) <= 128" +
  " && request.headers['x-request-id'].matches('^[A-Za-z0-9._~+/=:@-]+$') ? request.headers['x-request-id'] : '')%";

/**
 * Before a route is chosen: they are set here alone, never by a client, nor in another spelling that some servers take for them: they read
 * an underscore as a hyphen.
 */
const NAMES_OF_OURS = [
  // Envoy's router takes retries and timeouts from those of its own: a client has no say in these, wherever it comes from.
  ...['x-switchboard', 'x_switchboard', 'x-envoy-'].map((prefix) => ({ remove_on_match: { key_matcher: { prefix } } })),
  // Agents build their own addresses with it: a route says it, never a client.
  { remove: 'x-forwarded-prefix' },
  ...asked(SERVICE_HEADER, '%QUERY_PARAM(service)%', '%REQ(service)%'),
  ...asked(TAGS_HEADER, '%QUERY_PARAM(tag)%', '%REQ(tag)%'),
  ...asked(HINT_HEADER, '%QUERY_PARAM(routing_hint)%', '%REQ(routing_hint)%', '%REQ(routing-hint)%'),
  ...asked(SESSION_HEADER, '%REQ(session_id)%'),
  ...asked(ASKED_ID_HEADER, SANE_ID),
];

function connectionManager(options: TranslateOptions, { early, manager, idleTimeout }: Peer): object {
  return {
    '@type': `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'clients',
    codec_type: 'HTTP1',
    rds: { route_config_name: ROUTES_NAME, config_source: { ads: {}, resource_api_version: 'V3' } },
    http_filters: httpFilters(options),
    early_header_mutation_extensions: [
      {
        name: 'names-of-ours',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
          mutations: [...early, ...NAMES_OF_OURS],
        },
      },
    ],
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    http_protocol_options: { ...HTTP1_AS_SENT, allow_custom_methods: true },
    server_header_transformation: 'PASS_THROUGH',
    // The agent says whether it wants the body, not Envoy.
    proxy_100_continue: true,
    // By default Envoy waits a second before it passes on that the agent has closed.
    delayed_close_timeout: '0s',
    stream_idle_timeout: '0s',
    request_timeout: '0s',
    request_headers_timeout: '10s',
    common_http_protocol_options: {
      idle_timeout: idleTimeout,
      headers_with_underscores_action: 'ALLOW',
      max_headers_count: 100,
    },
    ...manager,
    // The agent gets the path as it was sent. What that could mislead is refused by the routes: path-spelling.ts.
    normalize_path: false,
    merge_slashes: false,
    path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
    generate_request_id: true,
    access_log: [sessionLog(options)],
    access_log_options: {
      access_log_flush_interval: seconds(options.sessionReportMs),
      flush_log_on_tunnel_successfully_established: true,
    },
    local_reply_config: LOCAL_REPLIES,
  };
}

/** By default Envoy's `::` shuts out IPv4. */
const listensOn = ({ host, port }: { readonly host: string; readonly port: number }): object => ({
  address: host,
  port_value: port,
  ...(host === ALL_IPV6 ? { ipv4_compat: true } : {}),
});

/** With it a chain for TLS can be added beside the others, and sessions on those live on. */
const TLS_INSPECTOR = { name: 'tls', typed_config: { '@type': `${FILTERS}.listener.tls_inspector.v3.TlsInspector` } };
/** A connection that does not begin with the PROXY protocol's header is closed. */
const PROXY_PROTOCOL = {
  name: 'proxy-protocol',
  typed_config: { '@type': `${FILTERS}.listener.proxy_protocol.v3.ProxyProtocol` },
};

interface Chain {
  readonly name: string;
  readonly match?: object;
  readonly peer: Peer;
}

const filterChain = (options: TranslateOptions, { name, match, peer }: Chain): object => ({
  name,
  filter_chain_match: { transport_protocol: 'raw_buffer', ...match },
  filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager(options, peer) }],
});

function listenerOf(
  options: TranslateOptions,
  name: string,
  at: { readonly host: string; readonly port: number },
  listenerFilters: readonly object[],
  chains: readonly Chain[],
): object {
  return {
    name,
    address: { socket_address: listensOn(at) },
    // Two Envoys must never share a port in silence.
    enable_reuse_port: false,
    per_connection_buffer_limit_bytes: BUFFER_BYTES,
    socket_options: TCP_KEEPALIVE,
    listener_filters: listenerFilters,
    filter_chains: chains.map((one) => filterChain(options, one)),
  };
}

const PLAIN: Chain = { name: 'plain', peer: CLIENT };

/** For clients, and proxies that speak for them in headers: those that are trusted have a chain of their own. */
export function listener(options: TranslateOptions): object {
  const { host, port, trustedProxies = [] } = options.gateway;
  const forwarded: Chain = {
    name: 'forwarded',
    match: { source_prefix_ranges: trustedProxies.map(cidrRange) },
    peer: trustedProxy(trustedProxies),
  };
  const chains = trustedProxies.length === 0 ? [PLAIN] : [PLAIN, forwarded];
  return listenerOf(options, LISTENER_NAME, { host, port }, [TLS_INSPECTOR], chains);
}

/** For balancers of connections, which say with the PROXY protocol whom each is for. Whoever reaches this port can say so: it is for the trusted ones alone, if any are named. */
export function proxyProtocolListener(options: TranslateOptions): object | undefined {
  const { host, proxyProtocol, trustedProxies = [] } = options.gateway;
  if (proxyProtocol === undefined) return undefined;
  const match = trustedProxies.length === 0 ? {} : { direct_source_prefix_ranges: trustedProxies.map(cidrRange) };
  const at = { host: proxyProtocol.host ?? host, port: proxyProtocol.port };
  return listenerOf(options, PROXY_PROTOCOL_NAME, at, [PROXY_PROTOCOL, TLS_INSPECTOR], [{ ...PLAIN, match }]);
}
