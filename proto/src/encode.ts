/**
 * A strict, deterministic encoder: proto3 JSON in, bytes out. protobufjs alone drops unknown fields, unknown enum names and
 * unknown Any types without a word, and its bytes depend on the insertion order of map keys; here each of these is an error
 * with its path, and maps are sorted. https://protobuf.dev/programming-guides/json/
 */
import protobuf from 'protobufjs';
import { messageType, typeOfAny } from './load.ts';

export class EncodeError extends Error {
  /** Such as `filter_chains[0].filters[0].typed_config.nope`; empty: the message itself. */
  readonly path: string;

  constructor(path: string, message: string) {
    super(path === '' ? message : `${path}: ${message}`);
    this.name = 'EncodeError';
    this.path = path;
  }
}

type Plain = Record<string, unknown>;

const WRAPPER = /^google\.protobuf\.(Double|Float|Int64|UInt64|Int32|UInt32|Bool|String|Bytes)Value$/;
const INT64 = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);
const INT32_RANGE: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  sint32: [-(2 ** 31), 2 ** 31 - 1],
  sfixed32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  fixed32: [0, 2 ** 32 - 1],
};

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return value === undefined || typeof value === 'function' || typeof value === 'symbol'
    ? typeof value
    : JSON.stringify(value);
}

function fail(path: string, wanted: string, value: unknown): never {
  throw new EncodeError(path, `must be ${wanted}, not ${describe(value)}`);
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** A duration's text as seconds and nanoseconds. */
function duration(value: unknown, path: string): Plain {
  const match = typeof value === 'string' ? /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value) : null;
  if (match === null) return fail(path, 'a duration such as "1.5s"', value);
  const sign = match[1] === '-' ? -1 : 1;
  return { seconds: sign * Number(match[2]), nanos: sign * Number((match[3] ?? '').padEnd(9, '0')) };
}

function timestamp(value: unknown, path: string): Plain {
  const ms = typeof value === 'string' ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) return fail(path, 'a time such as "2026-01-01T00:00:00Z"', value);
  return { seconds: Math.floor(ms / 1000), nanos: (((ms % 1000) + 1000) % 1000) * 1e6 };
}

/** google.protobuf.Value: any JSON. The well-known types come with protobufjs and have camel-case names. */
function anyJson(value: unknown, path: string): Plain {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'string') return { stringValue: value };
  if (Array.isArray(value))
    return { listValue: { values: value.map((item, index) => anyJson(item, `${path}[${index}]`)) } };
  if (isPlain(value)) return { structValue: struct(value, path) };
  return fail(path, 'a JSON value', value);
}

function struct(value: unknown, path: string): Plain {
  if (!isPlain(value)) return fail(path, 'an object', value);
  const fields: Plain = {};
  for (const key of Object.keys(value).sort())
    if (value[key] !== undefined) fields[key] = anyJson(value[key], join(path, key));
  return { fields };
}

function any(value: unknown, path: string): Plain {
  if (!isPlain(value)) return fail(path, 'an object with "@type"', value);
  // No message at all.
  if (Object.keys(value).length === 0) return {};
  const { '@type': url, ...rest } = value;
  if (typeof url !== 'string') throw new EncodeError(join(path, '@type'), 'is missing');
  const type = typeOfAny(url);
  if (type === undefined) throw new EncodeError(join(path, '@type'), `is not a known type: ${url}`);
  // Types with a JSON form of their own stand under "value"; all others are their own fields.
  const body = isWellKnown(type.fullName.slice(1))
    ? message(type, rest['value'], join(path, 'value'))
    : message(type, rest, path);
  return { type_url: url, value: type.encode(type.create(body)).finish() };
}

function isWellKnown(name: string): boolean {
  return (
    WRAPPER.test(name) ||
    name === 'google.protobuf.Duration' ||
    name === 'google.protobuf.Timestamp' ||
    name === 'google.protobuf.Struct' ||
    name === 'google.protobuf.Value'
  );
}

function message(type: protobuf.Type, value: unknown, path: string): Plain {
  const name = type.fullName.slice(1);
  switch (name) {
    case 'google.protobuf.Any':
      return any(value, path);
    case 'google.protobuf.Duration':
      return duration(value, path);
    case 'google.protobuf.Timestamp':
      return timestamp(value, path);
    case 'google.protobuf.Struct':
      return struct(value, path);
    case 'google.protobuf.Value':
      return anyJson(value, path);
    case 'google.protobuf.ListValue':
      if (!Array.isArray(value)) return fail(path, 'a list', value);
      return { values: value.map((item, index) => anyJson(item, `${path}[${index}]`)) };
    case 'google.protobuf.FieldMask':
      if (typeof value !== 'string') return fail(path, 'a text of paths', value);
      return { paths: value === '' ? [] : value.split(',') };
    default:
  }
  if (WRAPPER.test(name)) {
    const inner = type.fields['value'];
    if (inner === undefined) throw new EncodeError(path, `${name} has no value`);
    return { value: scalar(inner, value, path) };
  }
  if (!isPlain(value)) return fail(path, 'an object', value);
  return fields(type, value, path);
}

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const fieldNames = new WeakMap<protobuf.Type, ReadonlyMap<string, protobuf.Field>>();

/** Fields by their proto name and by their lowerCamelCase JSON name. */
function fieldsByName(type: protobuf.Type): ReadonlyMap<string, protobuf.Field> {
  let names = fieldNames.get(type);
  if (names === undefined) {
    names = new Map(
      type.fieldsArray.flatMap((field): [string, protobuf.Field][] => [
        [camel(field.name), field],
        [field.name, field],
      ]),
    );
    fieldNames.set(type, names);
  }
  return names;
}

function fields(type: protobuf.Type, value: Plain, path: string): Plain {
  const names = fieldsByName(type);
  const result: Plain = {};
  const chosen = new Map<string, string>();
  for (const [key, raw] of Object.entries(value)) {
    if (raw === undefined) continue;
    const here = join(path, key);
    const field = names.get(key);
    if (field === undefined) throw new EncodeError(here, `unknown field of ${type.fullName.slice(1)}`);
    if (raw === null && field.type !== 'google.protobuf.Value') continue;
    if (field.name in result) throw new EncodeError(here, 'stands twice, under two spellings');
    const group = field.partOf;
    if (group !== null && !isProto3Optional(field)) {
      const other = chosen.get(group.name);
      if (other !== undefined) throw new EncodeError(here, `can not stand beside ${other}: both are ${group.name}`);
      chosen.set(group.name, key);
    }
    result[field.name] = fieldValue(field, raw, here);
  }
  return result;
}

function isProto3Optional(field: protobuf.Field): boolean {
  return (field.options as Plain | undefined)?.['proto3_optional'] === true;
}

function fieldValue(field: protobuf.Field, value: unknown, path: string): unknown {
  if (field instanceof protobuf.MapField) {
    if (!isPlain(value)) return fail(path, 'an object', value);
    const entries = Object.keys(value)
      .sort()
      .map((key) => [key, single(field, value[key], `${path}[${JSON.stringify(key)}]`)] as const);
    return Object.fromEntries(entries);
  }
  if (field.repeated) {
    if (!Array.isArray(value)) return fail(path, 'a list', value);
    return value.map((item, index) => single(field, item, `${path}[${index}]`));
  }
  return single(field, value, path);
}

function single(field: protobuf.Field, value: unknown, path: string): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) return message(resolvedType, value, path);
  if (resolvedType instanceof protobuf.Enum) return enumValue(resolvedType, value, path);
  return scalar(field, value, path);
}

function enumValue(type: protobuf.Enum, value: unknown, path: string): number {
  if (typeof value === 'number' && type.valuesById[value] !== undefined) return value;
  const found = typeof value === 'string' && Object.hasOwn(type.values, value) ? type.values[value] : undefined;
  if (found === undefined) return fail(path, `one of ${Object.keys(type.values).join(', ')}`, value);
  return found;
}

function scalar(field: protobuf.Field, value: unknown, path: string): unknown {
  const { type } = field;
  if (type === 'string') return typeof value === 'string' ? value : fail(path, 'a text', value);
  if (type === 'bool') return typeof value === 'boolean' ? value : fail(path, 'true or false', value);
  if (type === 'bytes') {
    if (value instanceof Uint8Array) return value;
    return typeof value === 'string' ? Buffer.from(value, 'base64') : fail(path, 'base64 text', value);
  }
  if (type === 'double' || type === 'float') {
    if (typeof value === 'number') return value;
    return value === 'NaN' || value === 'Infinity' || value === '-Infinity'
      ? Number(value)
      : fail(path, 'a number', value);
  }
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^-?\d+$/.test(text)) return fail(path, 'a whole number', value);
  if (INT64.has(type)) {
    const unsigned = type === 'uint64' || type === 'fixed64';
    if (unsigned && text.startsWith('-')) return fail(path, 'a whole number of at least 0', value);
    return text;
  }
  const [low, high] = INT32_RANGE[type] ?? [0, 0];
  const number = Number(text);
  return number >= low && number <= high ? number : fail(path, `a whole number from ${low} to ${high}`, value);
}

/** Bytes of a message of the given full name. Throws EncodeError with the path of what is wrong. */
export function encode(type: string, json: unknown): Uint8Array {
  const found = messageType(type);
  return found.encode(found.create(message(found, json, ''))).finish();
}
