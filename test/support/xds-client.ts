/** A discovery client over the real grpc-js: one stream of either variant, driven message by message. */
import {
  Client,
  credentials,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { grpcService } from '@switchboard/proto';

export interface Response {
  readonly type_url: string;
  readonly nonce: string;
  readonly version_info?: string;
  readonly system_version_info?: string;
  /** State of the world: Anys. Delta: {name, version, resource}. */
  readonly resources: readonly {
    readonly name?: string;
    readonly version?: string;
    readonly type_url?: string;
    readonly value?: Buffer;
    readonly resource?: { readonly type_url: string; readonly value: Buffer } | null;
  }[];
  readonly removed_resources?: readonly string[];
}

export interface Discovery {
  readonly call: ClientDuplexStream<object, Response>;
  readonly received: readonly Response[];
  request(fields: object): void;
  ack(response: Response, fields?: object): void;
  nack(response: Response, message: string, fields?: object): void;
  /** The next response that was not taken yet. Fails when the stream ends, or after the limit. */
  next(limitMs?: number): Promise<Response>;
  /** True when nothing more comes for so long. */
  isSilent(ms?: number): Promise<boolean>;
  /** Resolves with the gRPC status when the stream is over. */
  readonly ended: Promise<{ code: number; details: string }>;
  close(): void;
}

export interface DiscoveryOptions {
  readonly port: number;
  readonly variant: 'sotw' | 'delta';
  readonly node?: object | null;
  /** Full name of the service and its method; default: the aggregated one. */
  readonly service?: string;
  readonly method?: string;
  readonly credentials?: ChannelCredentials;
}

const ADS = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

export function openDiscovery(options: DiscoveryOptions): Discovery {
  const { port, variant, service = ADS, node = { id: 'node' } } = options;
  const method = options.method ?? (variant === 'sotw' ? 'StreamAggregatedResources' : 'DeltaAggregatedResources');
  const definition = grpcService(service)[method];
  if (definition === undefined) throw new Error(`${service} has no ${method}`);
  // A channel of its own: several clients of one process must not share a connection.
  const client = new Client(`127.0.0.1:${port}`, options.credentials ?? credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
  });
  const call = client.makeBidiStreamRequest<object, Response>(
    definition.path,
    definition.requestSerialize,
    (bytes) => definition.responseDeserialize(bytes) as Response,
  );
  const received: Response[] = [];
  let taken = 0;
  let isFirst = true;
  let over: { code: number; details: string } | undefined;
  const wakes = new Set<() => void>();
  const ended = new Promise<{ code: number; details: string }>((resolve) => {
    const end = (status: { code: number; details: string }): void => {
      over = status;
      resolve(status);
      for (const wake of wakes) wake();
      client.close();
    };
    call.on('status', end);
    call.on('error', (error: ServiceError) => {
      end({ code: error.code, details: error.details });
    });
  });
  call.on('data', (response: Response) => {
    received.push(response);
    for (const wake of wakes) wake();
  });
  const answered = (response: Response, fields: object, error?: string): object => ({
    type_url: response.type_url,
    response_nonce: response.nonce,
    ...(variant === 'sotw' && error === undefined ? { version_info: response.version_info } : {}),
    ...(error === undefined ? {} : { error_detail: { code: 13, message: error } }),
    ...fields,
  });
  const discovery: Discovery = {
    call,
    received,
    request(fields) {
      if (isFirst && node !== null) call.write({ node, ...fields });
      else call.write(fields);
      isFirst = false;
    },
    ack(response, fields = {}) {
      discovery.request(answered(response, fields));
    },
    nack(response, message, fields = {}) {
      discovery.request(answered(response, fields, message));
    },
    async next(limitMs = 10_000) {
      return new Promise((resolve, reject) => {
        const done = (): void => {
          clearTimeout(timer);
          wakes.delete(look);
        };
        const look = (): void => {
          const response = received[taken];
          if (response !== undefined) {
            taken += 1;
            done();
            resolve(response);
          } else if (over !== undefined) {
            done();
            reject(new Error(`the stream is over: ${over.code} ${over.details}`));
          }
        };
        const timer = setTimeout(() => {
          done();
          reject(new Error(`no response for ${limitMs} ms`));
        }, limitMs);
        wakes.add(look);
        look();
      });
    },
    async isSilent(ms = 150) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return received.length === taken;
    },
    ended,
    close() {
      call.cancel();
    },
  };
  return discovery;
}
