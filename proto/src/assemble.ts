/** A message put together from parts that are encoded already: for a large repeated field of which only a few elements change. */
import protobuf from 'protobufjs';
import { encode } from './encode.ts';
import { messageType } from './load.ts';

const LENGTH_DELIMITED = 2;

/** The bytes of `json` with the elements of its repeated message field `field` appended. */
export function encodeWith(type: string, json: unknown, field: string, elements: readonly Uint8Array[]): Uint8Array {
  const found = messageType(type).fields[field];
  if (found?.repeated !== true) throw new Error(`${type} has no repeated field ${field}`);
  const tag = new protobuf.Writer().uint32((found.id << 3) | LENGTH_DELIMITED).finish();
  const parts: Uint8Array[] = [encode(type, json)];
  for (const element of elements) parts.push(tag, new protobuf.Writer().uint32(element.length).finish(), element);
  return Buffer.concat(parts);
}
