/** Single fields straight from a message's bytes, by number, without decoding the rest: for a look at thousands of messages. */
import protobuf from 'protobufjs';

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** All values at a path of field numbers; those on the way are messages, the last is a message, text or bytes. Throws on bytes that are no message. */
export function bytesAt(body: Uint8Array, path: readonly number[]): Uint8Array[] {
  const [field, ...rest] = path;
  if (field === undefined) return [body];
  const found: Uint8Array[] = [];
  const reader = protobuf.Reader.create(body);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === field && (tag & 7) === LENGTH_DELIMITED) found.push(...bytesAt(reader.bytes(), rest));
    else reader.skipType(tag & 7);
  }
  return found;
}

export function textsAt(body: Uint8Array, path: readonly number[]): string[] {
  return bytesAt(body, path).map((bytes) => Buffer.from(bytes).toString('utf8'));
}

/** The value of an enum or unsigned number; 0 when it is not there. */
export function numberAt(body: Uint8Array, field: number): number {
  const reader = protobuf.Reader.create(body);
  let value = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === field && (tag & 7) === VARINT) value = reader.uint32();
    else reader.skipType(tag & 7);
  }
  return value;
}
