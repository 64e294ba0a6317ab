/** The reference: what a person would write by hand for one agent, with the features that ours has. */
export function staticConfiguration({
  port,
  agentPort,
  alsPort,
}: {
  port: number;
  agentPort: number;
  alsPort: number;
}): object {
  const any = (type: string): string => `type.googleapis.com/${type}`;
  const endpoints = (name: string, target: number): object => ({
    cluster_name: name,
    endpoints: [
      { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: target } } } }] },
    ],
  });
  const routes = ['/agents/echo', '/agents/echo/'].map((path, index) => ({
    match: index === 0 ? { path } : { prefix: path },
    route: {
      cluster: 'echo',
      prefix_rewrite: '/',
      timeout: '10s',
      idle_timeout: '0s',
      retry_policy: {
        retry_on: 'connect-failure,refused-stream,reset,retriable-status-codes',
        retriable_status_codes: [502, 503],
        num_retries: 3,
        per_try_timeout: '2s',
        host_selection_retry_max_attempts: 20,
        retry_host_predicate: [
          {
            name: 'envoy.retry_host_predicates.previous_hosts',
            typed_config: { '@type': any('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate') },
          },
        ],
        retry_back_off: { base_interval: '0.005s', max_interval: '0.05s' },
      },
    },
  }));
  const manager = {
    '@type': any('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'clients',
    codec_type: 'HTTP1',
    route_config: { name: 'r', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': any('envoy.extensions.filters.http.router.v3.Router') },
      },
    ],
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    delayed_close_timeout: '0s',
    stream_idle_timeout: '0s',
    request_timeout: '0s',
    request_headers_timeout: '10s',
    common_http_protocol_options: {
      idle_timeout: '15s',
      headers_with_underscores_action: 'REJECT_REQUEST',
      max_headers_count: 100,
    },
    use_remote_address: true,
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT',
    access_log: [
      {
        name: 'sessions',
        typed_config: {
          '@type': any('envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig'),
          common_config: {
            log_name: 'bench',
            transport_api_version: 'V3',
            grpc_service: { envoy_grpc: { cluster_name: 'als' } },
            buffer_flush_interval: '0.1s',
            buffer_size_bytes: 16384,
          },
        },
      },
    ],
    access_log_options: { access_log_flush_interval: '10s', flush_log_on_tunnel_successfully_established: true },
  };
  // A chain for TLS can come beside the plain one.
  const tlsInspector = {
    name: 'tls',
    typed_config: { '@type': any('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector') },
  };
  const keepalive = [
    { level: 1, name: 9, int_value: 1, state: 'STATE_PREBIND' },
    { level: 6, name: 4, int_value: 60, state: 'STATE_PREBIND' },
    { level: 6, name: 5, int_value: 30, state: 'STATE_PREBIND' },
    { level: 6, name: 6, int_value: 10, state: 'STATE_PREBIND' },
  ];
  return {
    node: { id: 'static', cluster: 'bench' },
    static_resources: {
      listeners: [
        {
          name: 'clients',
          address: { socket_address: { address: '127.0.0.1', port_value: port } },
          enable_reuse_port: false,
          per_connection_buffer_limit_bytes: 32768,
          socket_options: keepalive,
          listener_filters: [tlsInspector],
          filter_chains: [
            {
              filter_chain_match: { transport_protocol: 'raw_buffer' },
              filters: [{ name: 'hcm', typed_config: manager }],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'echo',
          type: 'STATIC',
          connect_timeout: '0.5s',
          lb_policy: 'LEAST_REQUEST',
          per_connection_buffer_limit_bytes: 32768,
          common_lb_config: { healthy_panic_threshold: { value: 0 } },
          circuit_breakers: {
            thresholds: [{ max_connections: 1e9, max_pending_requests: 1e9, max_requests: 1e9, max_retries: 1e9 }],
          },
          health_checks: [
            {
              timeout: '1s',
              interval: '2s',
              no_traffic_interval: '2s',
              unhealthy_threshold: 2,
              healthy_threshold: 1,
              http_health_check: { path: '/', expected_statuses: [{ start: 100, end: 500 }] },
            },
          ],
          upstream_connection_options: {
            tcp_keepalive: { keepalive_probes: 10, keepalive_time: 60, keepalive_interval: 30 },
          },
          load_assignment: endpoints('echo', agentPort),
        },
        {
          name: 'als',
          type: 'STATIC',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': any('envoy.extensions.upstreams.http.v3.HttpProtocolOptions'),
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: endpoints('als', alsPort),
        },
      ],
    },
  };
}
