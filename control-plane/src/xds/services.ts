/** The discovery services: the aggregated one and one for each known type, both variants each. */
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
