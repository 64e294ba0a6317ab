/** The types of resources by the short names of the API, and where Envoy's config dump keeps them. https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto */

export interface ResourceType {
  readonly short: string;
  /** Full name of the message. */
  readonly message: string;
  /** Fields of the dump that hold such resources; those of the second are not in use yet. */
  readonly fields: readonly string[];
  /** Where the resource lies in an entry of the dump. */
  readonly resource: (entry: Readonly<Record<string, unknown>>) => unknown;
  readonly nameField: string;
  readonly query?: string;
}

const field = (...path: readonly string[]): ResourceType['resource'] => {
  return (entry) =>
    path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], entry);
};

export const RESOURCE_TYPES: readonly ResourceType[] = [
  {
    short: 'cds',
    message: 'envoy.config.cluster.v3.Cluster',
    fields: ['dynamic_active_clusters', 'dynamic_warming_clusters'],
    resource: field('cluster'),
    nameField: 'name',
  },
  {
    short: 'eds',
    message: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
    fields: ['dynamic_endpoint_configs'],
    resource: field('endpoint_config'),
    nameField: 'cluster_name',
    query: 'include_eds',
  },
  {
    short: 'lds',
    message: 'envoy.config.listener.v3.Listener',
    fields: ['dynamic_listeners'],
    resource: field('active_state', 'listener'),
    nameField: 'name',
  },
  {
    short: 'rds',
    message: 'envoy.config.route.v3.RouteConfiguration',
    fields: ['dynamic_route_configs'],
    resource: field('route_config'),
    nameField: 'name',
  },
  {
    short: 'sds',
    message: 'envoy.extensions.transport_sockets.tls.v3.Secret',
    fields: ['dynamic_active_secrets', 'dynamic_warming_secrets'],
    resource: field('secret'),
    nameField: 'name',
  },
  {
    short: 'ecds',
    message: 'envoy.config.core.v3.TypedExtensionConfig',
    fields: ['ecds_filters'],
    resource: field('ecds_filter'),
    nameField: 'name',
  },
];

export function typeNamed(short: string): ResourceType | undefined {
  return RESOURCE_TYPES.find((one) => one.short === short);
}
