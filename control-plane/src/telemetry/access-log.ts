/** Envoy's gRPC access log as the feed of the session table. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/accesslog/v3/als.proto */
import type { ServerReadableStream, ServiceDefinition, UntypedHandleCall, sendUnaryData } from '@grpc/grpc-js';
import { grpcService } from '@switchboard/proto';
import type { SessionTable } from './sessions.ts';

interface SocketAddress {
  socket_address: { address: string; port_value: number } | null;
}
interface LogEntry {
  common_properties: {
    stream_id: string;
    access_log_type: string;
    upstream_cluster: string;
    upstream_remote_address: SocketAddress | null;
    downstream_remote_address: SocketAddress | null;
    start_time: { seconds: number; nanos: number } | null;
    downstream_wire_bytes_received: number;
    downstream_wire_bytes_sent: number;
  } | null;
  request: { original_path: string; path: string; user_agent: string } | null;
}
interface LogMessage {
  identifier: { node: { id: string } | null } | null;
  http_logs: { log_entry: LogEntry[] } | null;
}

const address = (from: SocketAddress | null): string =>
  from?.socket_address == null ? '' : `${from.socket_address.address}:${from.socket_address.port_value}`;

function record(table: SessionTable, gateway: string, entry: LogEntry): void {
  const common = entry.common_properties;
  if (common === null || common.stream_id === '') return;
  switch (common.access_log_type) {
    case 'DownstreamEnd':
      table.end(common.stream_id);
      return;
    case 'DownstreamTunnelSuccessfullyEstablished':
    case 'DownstreamPeriodic': {
      const upstream = address(common.upstream_remote_address);
      // A request that is still looking for its instance is no session yet.
      if (upstream === '') return;
      const { seconds = 0, nanos = 0 } = common.start_time ?? {};
      table.upsert({
        id: common.stream_id,
        gateway,
        service: common.upstream_cluster,
        upstream,
        client: address(common.downstream_remote_address),
        path: entry.request?.original_path !== '' ? (entry.request?.original_path ?? '') : entry.request.path,
        userAgent: entry.request?.user_agent ?? '',
        startedAt: new Date(seconds * 1000 + nanos / 1e6).toISOString(),
        bytesReceived: common.downstream_wire_bytes_received,
        bytesSent: common.downstream_wire_bytes_sent,
      });
      return;
    }
    default:
  }
}

export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly handlers: Record<string, UntypedHandleCall>;
}

export function accessLogService(table: SessionTable): GrpcService {
  return {
    definition: grpcService('envoy.service.accesslog.v3.AccessLogService'),
    handlers: {
      StreamAccessLogs: (call: ServerReadableStream<LogMessage, object>, done: sendUnaryData<object>) => {
        // Only the first message of a stream carries the node.
        let gateway = '';
        call.on('data', (message: LogMessage) => {
          gateway = message.identifier?.node?.id ?? gateway;
          for (const entry of message.http_logs?.log_entry ?? []) record(table, gateway, entry);
        });
        call.on('end', () => {
          done(null, {});
        });
        call.on('error', () => undefined);
      },
    },
  };
}
