/** The discovery services: the aggregated one and one for each known type, both variants each. */
import { constants } from 'node:http2';
import {
  status,
  type ServiceDefinition,
  type ServerDuplexStream,
  type UntypedHandleCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { grpcService, messageType, type MethodDefinition } from '@switchboard/proto';
import type { Encoded } from './response-bytes.ts';
import type { TypeUrl } from './snapshot.ts';
import { TYPES } from './types.ts';

/** What is written is encoded already. */
export type DiscoveryCall = ServerDuplexStream<object, Encoded>;

/** Ends the call at once: what grpc-js would say of its end waits behind what the peer does not read. It has no word for that: so its stream is asked. */
export function cut(call: DiscoveryCall): void {
  interface Inner {
    readonly call?: Inner;
    readonly nextCall?: Inner;
    readonly stream?: { close(code: number): void };
  }
  let at: Inner | undefined = (call as unknown as Inner).call;
  while (at?.nextCall !== undefined) at = at.nextCall;
  at?.stream?.close(constants.NGHTTP2_CANCEL);
}

export interface DiscoveryService {
  readonly definition: ServiceDefinition;
  readonly handlers: Record<string, UntypedHandleCall>;
}

const AGGREGATED = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

/** Requests are read as they are decoded, without the copy that has all defaults in it: they may name thousands of resources. */
function streamed(method: string, definition: MethodDefinition): MethodDefinition {
  const request = messageType(
    `envoy.service.discovery.v3.${method.startsWith('Delta') ? 'DeltaDiscoveryRequest' : 'DiscoveryRequest'}`,
  );
  return {
    ...definition,
    requestDeserialize: (bytes) => request.decode(bytes),
    // It is asked for its length, and to be copied.
    responseSerialize: (encoded) => encoded as Buffer,
  };
}

export function discoveryServices(
  serve: (call: DiscoveryCall, variant: 'sotw' | 'delta', only: TypeUrl | undefined) => void,
): DiscoveryService[] {
  return [{ url: undefined, service: AGGREGATED }, ...TYPES].map(({ url, service }) => {
    const definition = Object.fromEntries(
      Object.entries(grpcService(service)).map(([method, of]) => [
        method,
        of.responseStream ? streamed(method, of) : of,
      ]),
    );
    const handlers = Object.keys(definition).map((method): [string, UntypedHandleCall] => {
      if (method.startsWith('Fetch'))
        return [
          method,
          (_call: unknown, reply: sendUnaryData<object>) => {
            reply({ code: status.UNIMPLEMENTED, details: 'only streams are served' });
          },
        ];
      return [
        method,
        (call: DiscoveryCall) => {
          serve(call, method.startsWith('Delta') ? 'delta' : 'sotw', url);
        },
      ];
    });
    return { definition, handlers: Object.fromEntries(handlers) };
  });
}
