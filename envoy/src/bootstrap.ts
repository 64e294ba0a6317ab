/** What Envoy is started with: who it is, where its control plane is, its admin socket. All else comes over xDS. Pure. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface BootstrapOptions {
  readonly nodeId: string;
  /** The fleet that this Envoy belongs to. */
  readonly cluster: string;
  readonly zone: string;
  /** What the control plane must know of its start, as text. It tells it with each stream. */
  readonly startedFor?: string;
  readonly xds: Address;
  /** How the two prove to each other who they are; absent: in clear text, for a reference without our control plane. */
  readonly tls?: TlsFiles;
  readonly variant: 'delta' | 'sotw';
  /** Path of the admin's unix socket; only its owner can use it, and it is never on the network. */
  readonly adminPath: string;
  /** More connections than this from clients are refused. */
  readonly maxConnections: number;
}

/**
 * Files that hold one SDS resource each, replaced by a rename: Envoy watches their folder. What Envoy shows before it can reach its control plane
 * cannot come from there, so these two are files and not ADS.
 */
export interface TlsFiles {
  /** Absolute folder of both. */
  readonly folder: string;
  /** The gateway's key and certificate: path, and the resource's name in it. */
  readonly identity: { readonly path: string; readonly name: string };
  /** Whom it trusts. */
  readonly authority: { readonly path: string; readonly name: string };
  /** The URI that the control plane's certificate must name. */
  readonly controlPlane: string;
}

/** The static cluster through which Envoy reaches the control plane. */
export const CONTROL_PLANE_CLUSTER = 'xds';

/** Of the node's metadata. */
export const STARTED_FOR = 'started-for';

const SOCKET_MODE = 0o600;

function adsConfig(variant: BootstrapOptions['variant']): object {
  return {
    api_type: variant === 'delta' ? 'DELTA_GRPC' : 'GRPC',
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [
      {
        // By default Envoy waits up to 30 s before it tries again; a restarted control plane is back long before.
        envoy_grpc: {
          cluster_name: CONTROL_PLANE_CLUSTER,
          retry_policy: { retry_back_off: { base_interval: '0.1s', max_interval: '1s' } },
        },
      },
    ],
  };
}

function secretFile(folder: string, { path, name }: { path: string; name: string }): object {
  return {
    name,
    sds_config: { path_config_source: { path, watched_directory: { path: folder } }, resource_api_version: 'V3' },
  };
}

function transportSocket({ folder, identity, authority, controlPlane }: TlsFiles): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
        alpn_protocols: ['h2'],
        tls_certificate_sds_secret_configs: [secretFile(folder, identity)],
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: controlPlane } }],
          },
          validation_context_sds_secret_config: secretFile(folder, authority),
        },
      },
    },
  };
}

interface Written {
  node: { metadata?: { [STARTED_FOR]?: string } };
  static_resources: {
    clusters: {
      load_assignment: {
        endpoints: {
          lb_endpoints: { endpoint: { address: { socket_address: { address: string; port_value: number } } } }[];
        }[];
      };
    }[];
  };
}

/** What an Envoy with this bootstrap (as text) was started for; undefined: that is not told. */
export function startedForOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as Written).node.metadata?.[STARTED_FOR];
  } catch {
    return undefined;
  }
}

/** Where an Envoy with this bootstrap (as text) looks for its control plane; undefined: that can't be told. */
export function controlPlaneOf(text: string): Address | undefined {
  try {
    const [cluster] = (JSON.parse(text) as Written).static_resources.clusters;
    const found = cluster?.load_assignment.endpoints[0]?.lb_endpoints[0]?.endpoint.address.socket_address;
    return found === undefined ? undefined : { host: found.address, port: found.port_value };
  } catch {
    return undefined;
  }
}

const MANY = 1_000_000;

export function bootstrap(options: BootstrapOptions): object {
  return {
    node: {
      id: options.nodeId,
      cluster: options.cluster,
      locality: { zone: options.zone },
      ...(options.startedFor === undefined ? {} : { metadata: { [STARTED_FOR]: options.startedFor } }),
    },
    admin: { address: { pipe: { path: options.adminPath, mode: SOCKET_MODE } } },
    dynamic_resources: {
      ads_config: adsConfig(options.variant),
      cds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
      lds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
    },
    static_resources: {
      clusters: [
        {
          name: CONTROL_PLANE_CLUSTER,
          type: 'STRICT_DNS',
          connect_timeout: '1s',
          // Many clients may wait for the control plane's word at once, and all are asked for again after its restart.
          circuit_breakers: { thresholds: [{ max_requests: MANY, max_pending_requests: MANY, max_retries: MANY }] },
          ...(options.tls === undefined ? {} : { transport_socket: transportSocket(options.tls) }),
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: {
                http2_protocol_options: { connection_keepalive: { interval: '5s', timeout: '2s' } },
              },
            },
          },
          load_assignment: {
            cluster_name: CONTROL_PLANE_CLUSTER,
            endpoints: [
              {
                lb_endpoints: [
                  {
                    endpoint: {
                      address: { socket_address: { address: options.xds.host, port_value: options.xds.port } },
                    },
                  },
                ],
              },
            ],
          },
        },
      ],
    },
    // Once a second it tells how many requests each instance has open: a second opinion on the session table.
    cluster_manager: {
      load_stats_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: CONTROL_PLANE_CLUSTER } }],
      },
    },
    layered_runtime: {
      layers: [
        // By default Envoy refuses the whole route table for one expression of more than some 30 letters or five long names.
        { name: 'limits', static_layer: { re2: { max_program_size: { error_level: MANY, warn_level: MANY } } } },
        // What the admin address sets at run time, such as a listener that takes no new connections.
        { name: 'admin', admin_layer: {} },
      ],
    },
    overload_manager: {
      resource_monitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
            max_active_downstream_connections: options.maxConnections,
          },
        },
      ],
    },
  };
}
