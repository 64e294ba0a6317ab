/** A message put together from parts that are encoded already: for a large repeated field of which only a few elements change. */
import protobuf from 'protobufjs';
import { encode } from './encode.ts';
import { messageType } from './load.ts';

const LENGTH_DELIMITED = 2;

function headOf(type: string, field: string, length: number): Uint8Array {
  const found = messageType(type).fields[field];
  if (found === undefined) throw new Error(`${type} has no field ${field}`);
  return new protobuf.Writer()
    .uint32((found.id << 3) | LENGTH_DELIMITED)
    .uint32(length)
    .finish();
}

/** One length-delimited field of a message, ready to be joined with others: protobuf messages are concatenations of their fields. */
export function part(type: string, field: string, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([headOf(type, field, bytes.length), bytes]);
}

/** The same of a value in pieces, which are not copied: a large message is joined once, however deep it is. */
export function partOf(type: string, field: string, pieces: readonly Uint8Array[]): Uint8Array[] {
  const length = pieces.reduce((sum, one) => sum + one.length, 0);
  return [headOf(type, field, length), ...pieces];
}

/** One entry of a map<string, message>. */
export function mapEntry(type: string, field: string, key: string, value: Uint8Array): Uint8Array {
  const text = Buffer.from(key);
  const writer = new protobuf.Writer();
  return part(type, field, writer.uint32(10).bytes(text).uint32(18).bytes(value).finish());
}

/** The bytes of `json` with the elements of its repeated message field `field` appended. */
export function encodeWith(type: string, json: unknown, field: string, elements: readonly Uint8Array[]): Uint8Array {
  if (messageType(type).fields[field]?.repeated !== true) throw new Error(`${type} has no repeated field ${field}`);
  return Buffer.concat([encode(type, json), ...elements.map((element) => part(type, field, element))]);
}
