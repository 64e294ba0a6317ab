/**
 * Envoy's load reports: once a second, for each endpoint, how many requests are open (a session is one) and how many failed. They are the
 * second opinion on the session table. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/load_stats/v3/lrs.proto
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { grpcService } from '@switchboard/proto';
import type { GrpcService } from './access-log.ts';
import type { EndpointLoad } from './endpoint-load.ts';

const LOAD_REPORT_MS = 1_000;

interface EndpointStats {
  address: { socket_address: { address: string; port_value: number } | null } | null;
  total_requests_in_progress: number;
  total_error_requests: number;
  total_issued_requests: number;
}
interface LoadStatsRequest {
  node: { id: string } | null;
  cluster_stats: {
    upstream_locality_stats: { upstream_endpoint_stats: EndpointStats[] }[];
  }[];
}

/** One endpoint's part of a report. */
export interface EndpointReport {
  readonly open: number;
  readonly issued: number;
  readonly failed: number;
}

function endpointsOf(request: LoadStatsRequest): Map<string, EndpointReport> {
  const found = new Map<string, EndpointReport>();
  for (const cluster of request.cluster_stats) {
    for (const locality of cluster.upstream_locality_stats) {
      for (const stats of locality.upstream_endpoint_stats) {
        const socket = stats.address?.socket_address;
        if (socket == null) continue;
        const upstream = `${socket.address}:${socket.port_value}`;
        const before = found.get(upstream);
        // Several clusters may hold the same instance.
        found.set(upstream, {
          open: (before?.open ?? 0) + stats.total_requests_in_progress,
          issued: (before?.issued ?? 0) + stats.total_issued_requests,
          failed: (before?.failed ?? 0) + stats.total_error_requests,
        });
      }
    }
  }
  return found;
}

export function loadReportService(load: EndpointLoad): GrpcService {
  return {
    definition: grpcService('envoy.service.load_stats.v3.LoadReportingService'),
    handlers: {
      StreamLoadStats: (call: ServerDuplexStream<LoadStatsRequest, object>) => {
        let gateway = '';
        call.on('data', (request: LoadStatsRequest) => {
          if (request.node !== null && request.node.id !== '') {
            gateway = request.node.id;
            call.write({
              send_all_clusters: true,
              load_reporting_interval: { seconds: LOAD_REPORT_MS / 1_000, nanos: 0 },
              report_endpoint_granularity: true,
            });
            // The first message of a stream only says who it is.
            if (request.cluster_stats.length === 0) return;
          }
          load.report(gateway, endpointsOf(request));
        });
        const end = (): void => {
          load.lost(gateway);
        };
        call.on('end', () => {
          end();
          call.end();
        });
        call.on('cancelled', end);
        call.on('error', end);
      },
    },
  };
}
