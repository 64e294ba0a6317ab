/** One cluster for each service. Its instances come by EDS, so the cluster itself seldom changes. */
import type { HealthCheck, ServiceGateway } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { JsonObject } from '../routing/policy.ts';
import { affinityOfCluster } from './affinity.ts';
import { TO_AGENTS } from './http1.ts';
import { seconds } from './options.ts';
import { VERSION_SUBSETS } from './versions.ts';

const NO_LIMIT = 1_000_000_000;
const BUFFER_BYTES = 32_768;
/**
 * An idle wire that is silent for six minutes is given up: a switch may restart, a host may be moved. No TCP_USER_TIMEOUT beside it, since Linux
 * counts a window of zero too, so that it would cut an agent that is busy and does not read for a while. What no longer answers is found by
 * health checks, and `onUnhealthy` says what follows for its sessions.
 */
const TCP_KEEPALIVE = { keepalive_time: 60, keepalive_interval: 30, keepalive_probes: 10 };

function webSocketHandshake(path: string): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: health',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: c3dpdGNoYm9hcmQtaGVhbA==',
    '',
    '',
  ];
  return Buffer.from(lines.join('\r\n')).toString('hex');
}

function healthChecks(check: HealthCheck): object[] {
  if (check.type === 'off') return [];
  const common = {
    timeout: seconds(durationMs(check.timeout)),
    interval: seconds(durationMs(check.interval)),
    // Left alone it is 60 s: an instance without sessions would hardly be checked.
    no_traffic_interval: seconds(durationMs(check.interval)),
    interval_jitter_percent: 10,
    unhealthy_threshold: check.unhealthyAfter,
    healthy_threshold: 1,
  };
  switch (check.type) {
    case 'http':
      // A WebSocket server answers 426 to a plain GET: any answer but a server error shows that it lives.
      return [{ ...common, http_health_check: { path: check.path, expected_statuses: [{ start: 100, end: 500 }] } }];
    case 'websocket':
      return [
        {
          ...common,
          tcp_health_check: {
            send: { text: webSocketHandshake(check.path) },
            receive: [{ text: Buffer.from('HTTP/1.1 101').toString('hex') }],
          },
        },
      ];
    case 'tcp':
      return [{ ...common, tcp_health_check: {} }];
  }
}

export function cluster(name: string, gateway: ServiceGateway, fragment: JsonObject): JsonObject {
  return {
    name,
    type: 'EDS',
    eds_cluster_config: { eds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '1s' } },
    connect_timeout: '0.5s',
    per_connection_buffer_limit_bytes: BUFFER_BYTES,
    // By default Envoy gathers changes of health and weight for a second: an instance that is ready, or draining, must be so at once.
    common_lb_config: {
      healthy_panic_threshold: { value: 0 },
      update_merge_window: '0s',
      ...affinityOfCluster(gateway.affinity),
    },
    ignore_health_on_host_removal: true,
    circuit_breakers: {
      thresholds: [
        {
          max_connections: NO_LIMIT,
          max_pending_requests: NO_LIMIT,
          max_requests: gateway.maxSessions ?? NO_LIMIT,
          max_retries: NO_LIMIT,
        },
      ],
    },
    upstream_connection_options: { tcp_keepalive: TCP_KEEPALIVE },
    ...TO_AGENTS,
    lb_subset_config: VERSION_SUBSETS,
    health_checks: healthChecks(gateway.healthCheck),
    ...fragment,
  };
}
