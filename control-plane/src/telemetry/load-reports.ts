/**
 * Envoy's load reports: once a second, for each endpoint, how many requests are open (a session is one) and how many failed. They are the
 * second opinion on the session table. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/load_stats/v3/lrs.proto
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { grpcService, projection } from '@switchboard/proto';
import { hostPort } from '../model/address.ts';
import type { GrpcService } from './access-log.ts';
import type { EndpointLoad, EndpointReport } from './endpoint-load.ts';

const SERVICE = 'envoy.service.load_stats.v3.LoadReportingService';
const METHOD = 'StreamLoadStats';
const LOAD_REPORT_MS = 1_000;

const WANTED = {
  node: { id: true },
  cluster_stats: {
    cluster_name: true,
    upstream_locality_stats: {
      upstream_endpoint_stats: {
        address: { socket_address: { address: true, port_value: true } },
        total_requests_in_progress: true,
        total_error_requests: true,
        total_issued_requests: true,
      },
    },
  },
} as const;

interface EndpointStats {
  readonly address?: { readonly socket_address?: { readonly address?: string; readonly port_value?: number } };
  readonly total_requests_in_progress?: number;
  readonly total_error_requests?: number;
  readonly total_issued_requests?: number;
}
interface LoadStatsRequest {
  readonly node?: { readonly id?: string };
  readonly cluster_stats?: readonly {
    readonly cluster_name?: string;
    readonly upstream_locality_stats?: readonly { readonly upstream_endpoint_stats?: readonly EndpointStats[] }[];
  }[];
}

/** `except`: the cluster of the control plane itself, whose streams are no sessions. */
function endpointsOf(request: LoadStatsRequest, except: string): Map<string, EndpointReport> {
  const found = new Map<string, EndpointReport>();
  for (const cluster of request.cluster_stats ?? []) {
    if (cluster.cluster_name === except) continue;
    for (const locality of cluster.upstream_locality_stats ?? []) {
      for (const stats of locality.upstream_endpoint_stats ?? []) {
        const socket = stats.address?.socket_address;
        if (socket?.address === undefined) continue;
        const upstream = hostPort(socket.address, socket.port_value ?? 0);
        const before = found.get(upstream);
        // Several clusters may hold the same instance.
        found.set(upstream, {
          open: (before?.open ?? 0) + (stats.total_requests_in_progress ?? 0),
          issued: (before?.issued ?? 0) + (stats.total_issued_requests ?? 0),
          failed: (before?.failed ?? 0) + (stats.total_error_requests ?? 0),
        });
      }
    }
  }
  return found;
}

export function loadReportService(load: EndpointLoad, except: string): GrpcService {
  const definition = grpcService(SERVICE);
  const method = definition[METHOD];
  if (method === undefined) throw new Error(`${SERVICE} has no ${METHOD}`);
  const decode = projection('envoy.service.load_stats.v3.LoadStatsRequest', WANTED);
  return {
    definition: { ...definition, [METHOD]: { ...method, requestDeserialize: decode } },
    handlers: {
      [METHOD]: (call: ServerDuplexStream<LoadStatsRequest, object>) => {
        // Of one gateway there are two while one process hands over to the next.
        const source = Symbol();
        call.on('data', (request: LoadStatsRequest) => {
          if (request.node?.id !== undefined) {
            call.write({
              send_all_clusters: true,
              load_reporting_interval: { seconds: LOAD_REPORT_MS / 1_000, nanos: 0 },
              report_endpoint_granularity: true,
            });
            // The first message of a stream only says who it is.
            if (request.cluster_stats === undefined) return;
          }
          load.report(source, endpointsOf(request, except));
        });
        const end = (): void => {
          load.lost(source);
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
