/** Bytes to proto3 JSON, to show a person what is in a resource: snake case, defaults left out, every known Any opened. */
import protobuf from 'protobufjs';
import { messageType, typeOfAny } from './load.ts';

type Plain = Record<string, unknown>;

const WRAPPER = /^google\.protobuf\.\w+Value$/;

function seconds({ seconds: whole, nanos }: { seconds?: number; nanos?: number }): string {
  const fraction =
    Math.abs(nanos ?? 0) === 0
      ? ''
      : `.${String(Math.abs(nanos ?? 0))
          .padStart(9, '0')
          .replace(/0+$/, '')}`;
  return `${(whole ?? 0) === 0 && (nanos ?? 0) < 0 ? '-' : ''}${whole ?? 0}${fraction}s`;
}

function value(type: protobuf.Type, plain: Plain): unknown {
  const name = type.fullName.slice(1);
  if (name === 'google.protobuf.Duration') return seconds(plain);
  if (name === 'google.protobuf.Timestamp') {
    return new Date(Number(plain['seconds'] ?? 0) * 1000 + Number(plain['nanos'] ?? 0) / 1e6).toISOString();
  }
  if (name === 'google.protobuf.Struct')
    return Object.fromEntries(
      Object.entries((plain['fields'] ?? {}) as Plain).map(([key, inner]) => [key, json(inner as Plain)]),
    );
  if (name === 'google.protobuf.Value') return json(plain);
  if (name === 'google.protobuf.ListValue') return ((plain['values'] ?? []) as Plain[]).map(json);
  if (name === 'google.protobuf.FieldMask') return ((plain['paths'] ?? []) as string[]).join(',');
  if (name === 'google.protobuf.Any') return opened(plain);
  if (WRAPPER.test(name)) return plain['value'] ?? defaultOf(type);
  const result: Plain = {};
  for (const field of type.fieldsArray) {
    const inner = plain[field.name];
    if (inner === undefined) continue;
    result[field.name] = fieldJson(field, inner);
  }
  return result;
}

function defaultOf(type: protobuf.Type): unknown {
  const found = type.fields['value']?.typeDefault as unknown;
  return Array.isArray(found) ? '' : found;
}

function fieldJson(field: protobuf.Field, inner: unknown): unknown {
  const { resolvedType } = field;
  if (!(resolvedType instanceof protobuf.Type)) return inner;
  if (field instanceof protobuf.MapField)
    return Object.fromEntries(
      Object.entries(inner as Plain).map(([key, one]) => [key, value(resolvedType, one as Plain)]),
    );
  if (field.repeated) return (inner as Plain[]).map((one) => value(resolvedType, one));
  return value(resolvedType, inner as Plain);
}

/** google.protobuf.Value back to JSON. */
function json(plain: Plain): unknown {
  if ('structValue' in plain) return value(messageType('google.protobuf.Struct'), plain['structValue'] as Plain);
  if ('listValue' in plain) return (((plain['listValue'] as Plain)['values'] ?? []) as Plain[]).map(json);
  if ('nullValue' in plain) return null;
  return plain['stringValue'] ?? plain['numberValue'] ?? plain['boolValue'] ?? null;
}

function opened(plain: Plain): Plain {
  const { type_url: url = '', value: bytes = '' } = plain as { type_url?: string; value?: string };
  if (url === '') return {};
  const type = typeOfAny(url);
  if (type === undefined) return { '@type': url, value: bytes };
  const inner = decodeAs(type, Buffer.from(bytes, 'base64'));
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    ? { '@type': url, ...inner }
    : { '@type': url, value: inner };
}

function decodeAs(type: protobuf.Type, bytes: Uint8Array): unknown {
  const plain = type.toObject(type.decode(bytes), { enums: String, longs: Number, bytes: String });
  return value(type, plain);
}

export function decode(type: string, bytes: Uint8Array): unknown {
  return decodeAs(messageType(type), bytes);
}
