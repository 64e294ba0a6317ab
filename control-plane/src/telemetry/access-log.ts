/** Envoy's gRPC access log as the feed of the session table. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/accesslog/v3/als.proto */
import type { ServerReadableStream, ServiceDefinition, UntypedHandleCall, sendUnaryData } from '@grpc/grpc-js';
import { grpcService, projection } from '@switchboard/proto';
import { hostPort, hostText } from '../model/address.ts';
import { hasBroken, withoutQuery, type BrokenRequest } from './broken.ts';
import { FLAGS, whyEnded, type Flags } from './ending.ts';
import { REFUSAL_FLAGS, whyRefused, type RefusedRequest } from './refusal.ts';
import type { SessionTable } from './sessions.ts';

const SERVICE = 'envoy.service.accesslog.v3.AccessLogService';
const METHOD = 'StreamAccessLogs';

const SOCKET = { socket_address: { address: true, port_value: true } } as const;
/** Records come by the hundred each second: only these fields are decoded. */
const WANTED = {
  identifier: { node: { id: true } },
  http_logs: {
    log_entry: {
      common_properties: {
        stream_id: true,
        filter_state_objects: true,
        access_log_type: true,
        upstream_cluster: true,
        upstream_remote_address: SOCKET,
        upstream_local_address: SOCKET,
        downstream_remote_address: SOCKET,
        start_time: { seconds: true, nanos: true },
        duration: { seconds: true, nanos: true },
        downstream_wire_bytes_received: true,
        downstream_wire_bytes_sent: true,
        route_name: true,
        upstream_request_attempt_count: true,
        connection_termination_details: true,
        time_to_first_upstream_rx_byte: { seconds: true, nanos: true },
        time_to_last_rx_byte: { nanos: true },
        response_flags: Object.fromEntries(
          [...Object.keys(FLAGS), ...REFUSAL_FLAGS].map((flag) => [flag, true as const]),
        ),
        tls_properties: { peer_certificate_properties: { subject: true } },
      },
      request: { request_method: true, path: true, user_agent: true },
      response: { response_code_details: true, response_code: { value: true } },
    },
  },
} as const;

interface SocketAddress {
  readonly socket_address?: { readonly address?: string; readonly port_value?: number };
}
interface Time {
  readonly seconds?: number;
  readonly nanos?: number;
}
interface LogEntry {
  readonly common_properties?: {
    readonly stream_id?: string;
    readonly filter_state_objects?: readonly (readonly [string, string])[];
    readonly access_log_type?: string;
    readonly upstream_cluster?: string;
    readonly upstream_remote_address?: SocketAddress;
    readonly upstream_local_address?: SocketAddress;
    readonly downstream_remote_address?: SocketAddress;
    readonly start_time?: Time;
    readonly duration?: Time;
    readonly downstream_wire_bytes_received?: number;
    readonly downstream_wire_bytes_sent?: number;
    readonly route_name?: string;
    readonly upstream_request_attempt_count?: number;
    readonly connection_termination_details?: string;
    readonly response_flags?: Flags;
    readonly time_to_first_upstream_rx_byte?: Time;
    readonly time_to_last_rx_byte?: Time;
    readonly tls_properties?: { readonly peer_certificate_properties?: { readonly subject?: string } };
  };
  readonly request?: {
    readonly request_method?: string;
    readonly path?: string;
    readonly user_agent?: string;
  };
  readonly response?: { readonly response_code_details?: string; readonly response_code?: { readonly value?: number } };
}
interface LogMessage {
  readonly identifier?: { readonly node?: { readonly id?: string } };
  readonly http_logs?: { readonly log_entry?: readonly LogEntry[] };
}

const address = ({ socket_address: socket }: SocketAddress = {}): string =>
  socket?.address === undefined ? '' : hostPort(socket.address, socket.port_value ?? 0);
/** What a trusted proxy tells of a client is an address without a port. */
const clientOf = (told: SocketAddress = {}): string =>
  (told.socket_address?.port_value ?? 0) === 0 ? hostText(told.socket_address?.address ?? '') : address(told);
const milliseconds = ({ seconds = 0, nanos = 0 }: Time): number => seconds * 1_000 + nanos / 1e6;

/** As the listener names them. */
const SESSION_ID = 'switchboard.session';
const SENT_PATH = 'switchboard.path';
const PRINCIPAL = 'switchboard.principal';

const kept = (common: LogEntry['common_properties'], key: string): string | undefined =>
  common?.filter_state_objects?.find(([name]) => name === key)?.[1];

const principalOf = (common: LogEntry['common_properties']): string | null =>
  kept(common, PRINCIPAL) ?? common?.tls_properties?.peer_certificate_properties?.subject ?? null;

const SWITCHED = 101;

/** An upgrade that failed; undefined: it was a session, or a plain request, whose end Envoy has read. */
function refusedRequest(
  gateway: string,
  { common_properties: common, response }: LogEntry,
): RefusedRequest | undefined {
  const status = response?.response_code?.value ?? 0;
  if (common === undefined || status === SWITCHED || common.time_to_last_rx_byte !== undefined) return undefined;
  const details = response?.response_code_details ?? '';
  return {
    gateway,
    cluster: common.upstream_cluster ?? '',
    route: common.route_name ?? '',
    upstream: address(common.upstream_remote_address),
    status,
    cause: whyRefused(status, common.response_flags ?? {}, details),
    details,
  };
}

function brokenRequest({ common_properties: common, request, response }: LogEntry): BrokenRequest | undefined {
  if (!hasBroken(common?.response_flags ?? {}, response?.response_code_details ?? '')) return undefined;
  return {
    cluster: common?.upstream_cluster ?? '',
    method: request?.request_method ?? '',
    path: withoutQuery(kept(common, SENT_PATH) ?? request?.path ?? ''),
    upstream: address(common?.upstream_remote_address),
    attempts: common?.upstream_request_attempt_count ?? 1,
    durationMs: Math.round(milliseconds(common?.duration ?? {})),
  };
}

/** What else wants to know of records. */
export interface RecordListener {
  readonly broke?: (request: BrokenRequest) => void;
  readonly refused?: (request: RefusedRequest) => void;
  /** The request of this id has ended, whether it ever was a session or not. */
  readonly ended?: (id: string) => void;
  /** Whether the host of this `ip:port` answers nothing at present, not even with a refusal. */
  readonly unanswered?: (upstream: string) => boolean;
}

function record(
  table: SessionTable,
  gateway: string,
  entry: LogEntry,
  { broke, refused, ended, unanswered }: RecordListener,
): void {
  const { common_properties: common, request } = entry;
  // The stream's own id is the client's X-Request-ID once it goes to an agent, and two clients may send the same.
  const id = kept(common, SESSION_ID) ?? common?.stream_id ?? '';
  if (common === undefined || id === '') return;
  switch (common.access_log_type ?? '') {
    case 'DownstreamEnd': {
      const failed = refused === undefined ? undefined : refusedRequest(gateway, entry);
      if (failed !== undefined) refused?.(failed);
      const broken = broke === undefined ? undefined : brokenRequest(entry);
      if (broken !== undefined) broke?.(broken);
      ended?.(id);
      table.end(id, {
        ...whyEnded(
          common.response_flags ?? {},
          entry.response?.response_code_details ?? '',
          common.connection_termination_details ?? '',
          () => unanswered?.(address(common.upstream_remote_address)) ?? false,
        ),
        durationMs: common.duration === undefined ? undefined : Math.round(milliseconds(common.duration)),
        bytesReceived: common.downstream_wire_bytes_received,
        bytesSent: common.downstream_wire_bytes_sent,
      });
      return;
    }
    case 'DownstreamTunnelSuccessfullyEstablished':
    case 'DownstreamPeriodic': {
      const upstream = address(common.upstream_remote_address);
      // A request that is still looking for its instance is no session yet.
      if (upstream === '') return;
      const bytesReceived = common.downstream_wire_bytes_received ?? 0;
      const bytesSent = common.downstream_wire_bytes_sent ?? 0;
      if (table.heard(id, upstream, bytesReceived, bytesSent)) return;
      table.upsert({
        told: {
          id,
          ...(common.stream_id === undefined || common.stream_id === id ? {} : { requestId: common.stream_id }),
          gateway,
          upstream,
          upstreamLocal: address(common.upstream_local_address),
          client: clientOf(common.downstream_remote_address),
          principal: principalOf(common),
          path: kept(common, SENT_PATH) ?? request?.path ?? '',
          userAgent: request?.user_agent ?? '',
          startedAt: new Date(milliseconds(common.start_time ?? {})).toISOString(),
          bytesReceived,
          bytesSent,
          route: common.route_name ?? '',
        },
        cluster: common.upstream_cluster ?? '',
        attempts: common.upstream_request_attempt_count ?? 1,
        isNew: common.access_log_type !== 'DownstreamPeriodic',
        handshakeMs:
          common.time_to_first_upstream_rx_byte === undefined
            ? undefined
            : milliseconds(common.time_to_first_upstream_rx_byte),
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

export function accessLogService(table: SessionTable, listener: RecordListener = {}): GrpcService {
  const definition = grpcService(SERVICE);
  const method = definition[METHOD];
  if (method === undefined) throw new Error(`${SERVICE} has no ${METHOD}`);
  const decode = projection('envoy.service.accesslog.v3.StreamAccessLogsMessage', WANTED);
  return {
    definition: { ...definition, [METHOD]: { ...method, requestDeserialize: decode } },
    handlers: {
      [METHOD]: (call: ServerReadableStream<LogMessage, object>, done: sendUnaryData<object>) => {
        // Only the first message of a stream carries the node.
        let gateway = '';
        call.on('data', (message: LogMessage) => {
          gateway = message.identifier?.node?.id ?? gateway;
          for (const entry of message.http_logs?.log_entry ?? []) record(table, gateway, entry, listener);
        });
        call.on('end', () => {
          done(null, {});
        });
        call.on('error', () => undefined);
      },
    },
  };
}
