/**
 * A message without scalars that say no more than their absence would: how Envoy prints a message, so that what was sent can be compared with
 * what Envoy has. Goes into every known Any.
 */
import protobuf from 'protobufjs';
import { messageType, typeOfAny } from './load.ts';

type Fields = Record<string, unknown>;

function isImplicitDefault(field: protobuf.Field, value: unknown): boolean {
  if (field.repeated || field.map || field.partOf !== null || field.resolvedType instanceof protobuf.Type) return false;
  if (value instanceof Uint8Array) return value.length === 0;
  if (field.resolvedType instanceof protobuf.Enum) return value === 0;
  // A 64-bit number, where protobufjs has its Long.
  if (typeof value === 'object' && value !== null) {
    const { low, high } = value as { low?: number; high?: number };
    return low === 0 && high === 0;
  }
  return value === 0 || value === false || value === '';
}

function strip(type: protobuf.Type, message: Fields): void {
  if (type.fullName === '.google.protobuf.Any') {
    const { type_url: url = '', value } = message as { type_url?: string; value?: Uint8Array };
    const inner = typeOfAny(url);
    if (inner !== undefined && value !== undefined) message['value'] = stripped(inner, value);
    return;
  }
  for (const field of type.fieldsArray) {
    if (!Object.hasOwn(message, field.name)) continue;
    const value = message[field.name];
    if (isImplicitDefault(field, value)) {
      // Its prototype has the default.
      Reflect.deleteProperty(message, field.name);
      continue;
    }
    const { resolvedType } = field;
    if (!(resolvedType instanceof protobuf.Type) || value === null) continue;
    const all = field.map ? Object.values(value as Fields) : field.repeated ? (value as unknown[]) : [value];
    for (const one of all) strip(resolvedType, one as Fields);
  }
}

function stripped(type: protobuf.Type, bytes: Uint8Array): Uint8Array {
  const message = type.decode(bytes);
  strip(type, message as unknown as Fields);
  return type.encode(message).finish();
}

export function canonical(type: string, bytes: Uint8Array): Uint8Array {
  return stripped(messageType(type), bytes);
}
