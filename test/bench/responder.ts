/**
 * Stands for thousands of agents: an Envoy that answers health checks by itself, at every address of 127.0.0.0/8, and leads sessions to one
 * echo agent. A Node process that answers ten thousand first checks would be what is measured.
 */
import { startStaticEnvoy, type Running } from './processes.ts';

const any = (type: string): string => `type.googleapis.com/${type}`;

const address = (host: string, port: number): object => ({ socket_address: { address: host, port_value: port } });

function configuration(port: number, agentPort: number): object {
  const manager = {
    '@type': any('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'r',
    codec_type: 'HTTP1',
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': any('envoy.extensions.filters.http.router.v3.Router') },
      },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            {
              match: { prefix: '/', headers: [{ name: 'upgrade', present_match: true }] },
              route: { cluster: 'agent' },
            },
            { match: { prefix: '/' }, direct_response: { status: 200 } },
          ],
        },
      ],
    },
  };
  return {
    static_resources: {
      listeners: [
        {
          name: 'r',
          address: address('0.0.0.0', port),
          // Ten thousand come at once.
          tcp_backlog_size: 16_384,
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: 'agent',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'agent',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address('127.0.0.1', agentPort) } }] }],
          },
        },
      ],
    },
  };
}

export async function startResponder(agentPort: number): Promise<Running & { readonly port: number }> {
  return startStaticEnvoy(
    (port) => configuration(port, agentPort),
    async (port) =>
      fetch(`http://127.0.0.1:${port}/`).then(
        ({ ok }) => ok,
        () => false,
      ),
  );
}
