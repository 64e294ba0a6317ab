/**
 * The gRPC side, kept thin: turns grpc-js calls into the events of stream.ts and its sends into writes. Both variants of the
 * aggregated service. A stream belongs to the node of its first message; two streams of one node (an Envoy that is being
 * replaced) live beside each other.
 */
import { randomBytes } from 'node:crypto';
import {
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type UntypedHandleCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { grpcService } from '@switchboard/proto';
import type { Log } from '../log.ts';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { createAcks, type Progress, type TimelineEntry } from './acks.ts';
import { delta } from './delta.ts';
import type { Snapshot } from './snapshot.ts';
import { sotw } from './sotw.ts';
import type { AckReport, GatewaySync } from './status.ts';
import { createStream, type Output, type Send, type Stream } from './stream.ts';
import type { Variant } from './variant.ts';
import { deltaWire, sotwWire, type Wire, type WireNode } from './wire.ts';

export type XdsEvent =
  | { readonly kind: 'connected'; readonly node: string }
  | { readonly kind: 'disconnected'; readonly node: string }
  | { readonly kind: 'progress'; readonly node: string }
  | {
      readonly kind: 'nack';
      readonly node: string;
      readonly type: string;
      readonly message: string;
      readonly names: readonly string[];
    };

export interface XdsServer {
  readonly port: number;
  publish(snapshot: Snapshot): void;
  gateways(): GatewaySync[];
  report(revision: number): AckReport;
  whenAcked(revision: number, timeoutMs: number, signal: AbortSignal): Promise<AckReport>;
  timeline(revision: number): TimelineEntry[];
  subscribe(listener: (event: XdsEvent) => void): () => void;
  close(): Promise<void>;
}

export interface XdsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  readonly now: () => number;
  /** Other services on the same port, such as the access log's. */
  readonly services?: readonly {
    readonly definition: ServiceDefinition;
    readonly handlers: Record<string, UntypedHandleCall>;
  }[];
}

type Call = ServerDuplexStream<object, object>;

interface Connection {
  readonly stream: Stream;
  readonly variant: Variant;
  readonly call: Call;
  readonly wire: Wire;
  readonly connectedAt: string;
  node: WireNode;
}

const ADS = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
/** A delta reconnect carries the versions of everything that Envoy has: the default of 4 MiB is too small for that. */
const LARGEST_MESSAGE = 64 * 1024 * 1024;

export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const { host, port, log, now } = options;
  const connections = new Set<Connection>();
  const listeners = new Set<(event: XdsEvent) => void>();
  let snapshot: Snapshot | undefined;

  /** Of several streams of a node, the newest tells. */
  function newest(): Connection[] {
    return [...new Map([...connections].map((connection) => [connection.node.id, connection])).values()];
  }
  const acks = createAcks(
    (): Progress[] =>
      newest().map(({ node, stream }) => ({
        node: node.id,
        settledRevision: stream.settledRevision(),
        refusals: stream.refusals(),
      })),
    now,
  );

  function tell(event: XdsEvent): void {
    for (const listener of listeners) listener(event);
  }

  function write(connection: Connection, sends: readonly Send[]): void {
    // At most one response of each type is on its way, so what grpc-js may have to buffer is bounded.
    for (const send of sends) connection.call.write(connection.wire.response(send));
  }

  function handle(connection: Connection, output: Output): void {
    write(connection, output.sends);
    for (const notice of output.notices) {
      if (notice.kind !== 'nack') continue;
      log.warn(
        { gateway: connection.node.id, type: notice.type, names: notice.names, error: notice.message },
        'a gateway refuses a configuration',
      );
      tell({ kind: 'nack', node: connection.node.id, type: notice.type, message: notice.message, names: notice.names });
    }
    acks.progressed();
    tell({ kind: 'progress', node: connection.node.id });
  }

  function fail(call: Call, details: string): void {
    call.emit('error', { code: status.INVALID_ARGUMENT, details });
  }

  function serve(call: Call, variant: Variant, wire: Wire): void {
    let connection: Connection | undefined;
    const end = (): void => {
      if (connection === undefined || !connections.delete(connection)) return;
      log.info({ gateway: connection.node.id }, 'a gateway has left');
      acks.progressed();
      tell({ kind: 'disconnected', node: connection.node.id });
    };
    call.on('data', (message: object) => {
      const { node, request } = wire.request(message);
      if (request.type === '') {
        fail(call, 'the request has no type_url');
        return;
      }
      if (connection === undefined) {
        if (node === undefined || node.id === '') {
          fail(call, 'the first request has no node.id');
          return;
        }
        const stream = createStream({ variant, noncePrefix: `${randomBytes(4).toString('hex')}-`, now });
        connection = { stream, variant, call, wire, node, connectedAt: new Date(now()).toISOString() };
        connections.add(connection);
        log.info({ gateway: node.id, variant: variant.name }, 'a gateway has come');
        if (snapshot !== undefined) stream.snapshot(snapshot);
        tell({ kind: 'connected', node: node.id });
      }
      handle(connection, connection.stream.request(request));
    });
    call.on('end', () => {
      end();
      call.end();
    });
    call.on('cancelled', end);
    call.on('error', end);
    call.on('close', end);
  }

  const server = new Server({
    'grpc.max_receive_message_length': LARGEST_MESSAGE,
    'grpc.max_send_message_length': LARGEST_MESSAGE,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  server.addService(grpcService(ADS), {
    StreamAggregatedResources: (call: Call) => {
      serve(call, sotw, sotwWire);
    },
    DeltaAggregatedResources: (call: Call) => {
      serve(call, delta, deltaWire);
    },
  });
  for (const { definition, handlers } of options.services ?? []) server.addService(definition, handlers);

  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, chosen) => {
      if (error === null) resolve(chosen);
      else {
        const remedy = 'Stop what uses it, or choose another with SWITCHBOARD_XDS_PORT.';
        reject(
          new SwitchboardError('unavailable', `cannot listen for Envoy on ${host}:${port}: ${messageOf(error)}`, {
            remedy,
            cause: error,
          }),
        );
      }
    });
  });

  return {
    port: bound,
    publish(next) {
      snapshot = next;
      for (const connection of connections) handle(connection, connection.stream.snapshot(next));
    },
    gateways: () =>
      newest().map(({ node, stream, variant, connectedAt }) => ({
        node: node.id,
        cluster: node.cluster,
        zone: node.zone,
        envoyVersion: node.version,
        connectedAt,
        variant: variant.name,
        ackedRevision: stream.settledRevision(),
        types: stream.types(),
      })),
    report: (revision) => acks.report(revision),
    whenAcked: async (revision, timeoutMs, signal) => acks.whenAcked(revision, timeoutMs, signal),
    timeline: (revision) => acks.timeline(revision),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
      for (const { call } of connections) call.end();
      connections.clear();
      server.forceShutdown();
    },
  };
}
