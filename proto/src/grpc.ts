/**
 * A gRPC service as grpc-js wants it, from the loaded API. Messages are protobufjs's plain objects with snake-case names and
 * defaults filled in; an Any stays {type_url, value: Buffer}, so that a resource's bytes pass through untouched.
 */
import protobuf from 'protobufjs';
import { apiRoot } from './load.ts';

export interface MethodDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: object) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => object;
  readonly responseSerialize: (value: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => object;
}

export type ServiceDefinition = Record<string, MethodDefinition>;

function serialize(type: protobuf.Type): (value: object) => Buffer {
  return (value) => Buffer.from(type.encode(type.create(value)).finish());
}

function deserialize(type: protobuf.Type): (bytes: Buffer) => object {
  return (bytes) =>
    type.toObject(type.decode(bytes), {
      defaults: true,
      arrays: true,
      objects: true,
      enums: String,
      longs: Number,
      bytes: Buffer,
    });
}

/** `fullName` such as `envoy.service.discovery.v3.AggregatedDiscoveryService`. */
export function grpcService(fullName: string): ServiceDefinition {
  const service = apiRoot().lookupService(fullName);
  const methods = service.methodsArray.map((method): [string, MethodDefinition] => {
    method.resolve();
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    if (request === null || response === null) throw new Error(`${fullName}.${method.name} has an unknown type`);
    return [
      method.name,
      {
        path: `/${fullName}/${method.name}`,
        requestStream: method.requestStream === true,
        responseStream: method.responseStream === true,
        requestSerialize: serialize(request),
        requestDeserialize: deserialize(request),
        responseSerialize: serialize(response),
        responseDeserialize: deserialize(response),
      },
    ];
  });
  return Object.fromEntries(methods);
}
