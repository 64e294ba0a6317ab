/** The discovery services: the aggregated one and one for each known type, both variants each. */
import {
  status,
  type ServiceDefinition,
  type ServerDuplexStream,
  type UntypedHandleCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { grpcService } from '@switchboard/proto';
import type { TypeUrl } from './snapshot.ts';
import { TYPES } from './types.ts';

export type DiscoveryCall = ServerDuplexStream<object, object>;

export interface DiscoveryService {
  readonly definition: ServiceDefinition;
  readonly handlers: Record<string, UntypedHandleCall>;
}

const AGGREGATED = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

export function discoveryServices(
  serve: (call: DiscoveryCall, variant: 'sotw' | 'delta', only: TypeUrl | undefined) => void,
): DiscoveryService[] {
  return [{ url: undefined, service: AGGREGATED }, ...TYPES].map(({ url, service }) => {
    const definition = grpcService(service);
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
