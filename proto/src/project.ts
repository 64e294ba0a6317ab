/**
 * Decoding only the fields that are wanted: for messages that come by the thousand each second, of which a few fields matter. A field that
 * is not in the bytes is absent in the result; 64-bit numbers become numbers, enums their names.
 */
import protobuf from 'protobufjs';
import { messageType } from './load.ts';

/** `true`: the scalar; a nested spec: the message, or each of a repeated one. */
export interface Wanted {
  readonly [field: string]: true | Wanted;
}

type Read = (reader: protobuf.Reader) => unknown;

interface Step {
  readonly name: string;
  readonly repeated: boolean;
  readonly read: Read;
}

const LENGTH_DELIMITED = 2;

function scalar(field: protobuf.Field): Read {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) {
    const names = resolvedType.valuesById;
    return (reader) => names[reader.int32()] ?? '';
  }
  switch (field.type) {
    case 'string':
      return (reader) => reader.string();
    case 'bool':
      return (reader) => reader.bool();
    case 'uint32':
    case 'int32':
      return (reader) => reader.uint32();
    case 'uint64':
    case 'int64':
      return (reader) => Number(reader.uint64());
    case 'double':
      return (reader) => reader.double();
    default:
      throw new Error(`${field.fullName} is a ${field.type}, which can not be picked`);
  }
}

function message(type: protobuf.Type, wanted: Wanted): (reader: protobuf.Reader, end: number) => object {
  const steps: Step[] = [];
  for (const [name, inner] of Object.entries(wanted)) {
    const field = type.fields[name];
    if (field === undefined) throw new Error(`${type.fullName} has no field ${name}`);
    if (field instanceof protobuf.MapField) {
      steps[field.id] = { name, repeated: true, read: mapEntry(field) };
      continue;
    }
    if (inner === true) steps[field.id] = { name, repeated: field.repeated, read: scalar(field) };
    else {
      if (!(field.resolvedType instanceof protobuf.Type)) throw new Error(`${field.fullName} is no message`);
      const read = message(field.resolvedType, inner);
      steps[field.id] = {
        name,
        repeated: field.repeated,
        read: (reader) => {
          const length = reader.uint32();
          return read(reader, reader.pos + length);
        },
      };
    }
  }
  return (reader, end) => {
    const result: Record<string, unknown> = {};
    while (reader.pos < end) {
      const tag = reader.uint32();
      const step = steps[tag >>> 3];
      if (step === undefined) reader.skipType(tag & 7);
      else if (!step.repeated) result[step.name] = step.read(reader);
      else ((result[step.name] ??= []) as unknown[]).push(step.read(reader));
    }
    return result;
  };
}

/** Of a message that has nothing else of interest, the field of this number. */
function field<T>(reader: protobuf.Reader, number: number, read: () => T): T | undefined {
  const end = reader.uint32() + reader.pos;
  let found: T | undefined;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === number && (tag & 7) === LENGTH_DELIMITED) found = read();
    else reader.skipType(tag & 7);
  }
  return found;
}

/** The text of an Any that holds a StringValue. */
const textOfAny = (reader: protobuf.Reader): string =>
  field(reader, 2, () => field(reader, 1, () => reader.string())) ?? '';

/** A map of texts, as a list of pairs; of Any: those are to be StringValues. */
function mapEntry(map: protobuf.MapField): Read {
  const isAny = map.type === 'google.protobuf.Any';
  if ((map.type !== 'string' && !isAny) || map.keyType !== 'string')
    throw new Error(`${map.fullName} is no map of texts, so it can not be picked`);
  return (reader) => {
    const end = reader.uint32() + reader.pos;
    const pair: [string, string] = ['', ''];
    while (reader.pos < end) {
      const tag = reader.uint32();
      if ((tag & 7) !== LENGTH_DELIMITED) reader.skipType(tag & 7);
      else if (tag >>> 3 === 1) pair[0] = reader.string();
      else pair[1] = isAny ? textOfAny(reader) : reader.string();
    }
    return pair;
  };
}

/** The caller names the shape that `wanted` gives: what is asked for may be absent. Throws on bytes that are no such message. */
export function projection(type: string, wanted: Wanted): (bytes: Uint8Array) => object {
  const read = message(messageType(type), wanted);
  return (bytes) => read(protobuf.Reader.create(bytes), bytes.length);
}
