/** Envoy's API for the control plane: strict encoding, readable decoding, gRPC services. */
export { EncodeError, encode } from './encode.ts';
export { encodeWith, mapEntry, part, partOf } from './assemble.ts';
export { canonical } from './canonical.ts';
export { decode } from './decode.ts';
export { bytesAt, numberAt, textsAt } from './fields.ts';
export { grpcService, type MethodDefinition, type ServiceDefinition } from './grpc.ts';
export { messageType, typeUrl } from './load.ts';
export { projection, type Wanted } from './project.ts';
