/** One cluster for each service. Its instances come by EDS, so the cluster itself seldom changes. */
import type { GatewayCheck } from '../model/gateway-check.ts';
import type { ServiceGateway } from '../model/service.ts';
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

/** After a first failure, and while it fails: an instance that is back gets sessions soon, one that stays ill does not fill its log. */
const RECHECK_MS = 1_000;
const FAILING_MS = 5_000;

function healthChecks(check: GatewayCheck): object[] {
  if (check.type === 'off') return [];
  const interval = durationMs(check.interval);
  const failing = seconds(Math.min(interval, FAILING_MS));
  const common = {
    timeout: seconds(durationMs(check.timeout)),
    interval: seconds(interval),
    unhealthy_edge_interval: seconds(Math.min(interval, RECHECK_MS)),
    unhealthy_interval: failing,
    // Of a cluster that never had a session, where Envoy knows no edge; left alone it is 60 s.
    no_traffic_interval: failing,
    no_traffic_healthy_interval: seconds(interval),
    interval_jitter_percent: 10,
    unhealthy_threshold: check.unhealthyAfter,
    healthy_threshold: 1,
  };
  switch (check.type) {
    case 'http': {
      const [low, high] = check.status;
      return [
        { ...common, http_health_check: { path: check.path, expected_statuses: [{ start: low, end: high + 1 }] } },
      ];
    }
    case 'websocket':
      return [
        {
          ...common,
          // Envoy would send the next handshake into the session that the last one opened.
          reuse_connection: false,
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

export function cluster(name: string, gateway: ServiceGateway, check: GatewayCheck, fragment: JsonObject): JsonObject {
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
    health_checks: healthChecks(check),
    ...fragment,
  };
}
